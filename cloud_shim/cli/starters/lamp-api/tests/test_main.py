"""`lamplight test` runs this; it stays on your machine."""


def request(function, method, body=""):
    return function.send("lamplight.http.request", {"method": method, "path": "/lamp", "body": body})


def test_put_switches_the_lamp(function):
    assert request(function, "PUT", "on") == {"lit": True}
    assert function.pins["led"] is True
    assert request(function, "PUT", "off") == {"lit": False}


def test_get_tells_and_changes_nothing(function):
    request(function, "PUT", "on")
    assert request(function, "GET") == {"lit": True}


def test_anything_else_than_on_or_off_is_refused(function):
    assert request(function, "PUT", "maybe")["status"] == 400
    assert function.pins["led"] is False
