"""Web pages that ask a board through the browser of somebody in its network: which are answered."""

import pytest

from device.protocol import triggers
from device.protocol.errors import ProtocolError
from device.protocol.triggers import HttpTrigger
from device.triggers.http.message import Request
from device.triggers.http.trigger import Routes

SHOP = "https://shop.example.org"
METHOD = "access-control-request-method"


def asked(headers, origins=(), method="POST", handler=lambda *_, asked: "on"):
    routes = Routes("shelf-pi")
    routes.trigger(HttpTrigger("/lamp", ("GET", "POST"), origins=origins), handler)
    return routes.answer(Request(method, "/lamp", headers, b""), None)


OURS = [
    "192.168.1.7",
    "192.168.1.7:8088",
    "[fe80::1]:8088",
    "localhost:8088",
    "shelf-pi",
    "SHELF-PI.local",
    "pi.lan:80",
]


@pytest.mark.parametrize("host", [*OURS, "shelf-pi.local."])
def test_a_board_answers_to_its_addresses_and_to_names_that_no_stranger_can_have(host):
    assert asked({"host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "shelf-pi.evil.example", "192.168.1.7.evil.example", "local.evil", "a.local.x.com:8088"]
)
def test_a_page_whose_own_name_leads_to_the_board_is_refused(host):
    answer = asked({"host": host, "origin": f"http://{host}"})
    assert answer.status == 421 and b"origins" in answer.body


@pytest.mark.parametrize(
    "origin", [SHOP, "null", "http://192.168.1.7", "http://192.168.1.7:80", "http://192.168.1.8:8088"]
)
def test_a_page_of_another_origin_is_refused(origin):
    answer = asked({"host": "192.168.1.7:8088", "origin": origin})
    assert answer.status == 403 and b"origins" in answer.body
    assert not any(name.startswith("Access-Control") for name, _ in answer.headers)


def test_a_page_of_the_boards_own_and_a_program_without_a_page_are_answered():
    assert asked({"host": "192.168.1.7:8088", "origin": "http://192.168.1.7:8088"}).status == 200
    assert asked({"host": "192.168.1.7:8088"}).status == 200
    assert asked({}).status == 200


def test_a_page_named_by_the_function_is_answered_and_may_read_the_answer():
    answer = asked({"host": "192.168.1.7:8088", "origin": SHOP}, origins=(SHOP,))
    assert (answer.status, ("Access-Control-Allow-Origin", SHOP) in answer.headers) == (200, True)
    assert asked({"host": "192.168.1.7:8088", "origin": "https://shop.example"}, origins=(SHOP,)).status == 403
    # Its own name may then lead to the board, as behind a proxy.
    assert asked({"host": "shop.example.org", "origin": SHOP}, origins=(SHOP,)).status == 200


def test_a_function_may_open_its_path_to_every_page():
    answer = asked({"host": "evil.example", "origin": "https://evil.example:1"}, origins=("*",))
    assert (answer.status, ("Access-Control-Allow-Origin", "https://evil.example:1") in answer.headers) == (200, True)


def test_a_handler_may_set_those_headers_itself():
    own = {"status": 200, "headers": {"access-control-allow-origin": "*"}, "body": ""}
    answer = asked({"host": "pi", "origin": SHOP}, origins=(SHOP,), handler=lambda *_, asked: own)
    assert [value for name, value in answer.headers if name.lower() == "access-control-allow-origin"] == ["*"]


def test_a_browsers_question_beforehand_is_answered_without_the_function():
    def handler(*_):
        raise AssertionError

    question = {
        "host": "pi",
        "origin": SHOP,
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-a",
    }
    answer = asked(question, origins=(SHOP,), method="OPTIONS", handler=handler)
    headers = dict(answer.headers)
    assert (answer.status, headers["Access-Control-Allow-Origin"]) == (204, SHOP)
    assert (headers["Access-Control-Allow-Methods"], headers["Access-Control-Allow-Headers"]) == ("GET, POST", "x-a")
    assert asked({**question, "origin": "https://evil.example"}, origins=(SHOP,), method="OPTIONS").status == 403
    assert asked({**question, METHOD: "DELETE"}, origins=(SHOP,), method="OPTIONS").status == 405
    assert asked(question, method="OPTIONS").status == 403


def test_a_question_beforehand_may_bring_no_body():
    routes = Routes("shelf-pi")
    routes.trigger(HttpTrigger("/lamp", ("POST",), origins=(SHOP,)), lambda *_, asked: None)
    assert routes.admit("OPTIONS", "/lamp") == 0


@pytest.mark.parametrize(
    "origin", [5, "shop.example.org", "https://", "ftp://x", "https://x/path", "https://x y", "javascript://x"]
)
def test_what_is_no_origin_is_refused_in_the_manifest(origin):
    with pytest.raises(ProtocolError, match="no web page's origin"):
        triggers.trigger({"type": "http", "path": "/lamp", "origins": [origin]})


def test_origins_are_compared_without_regard_to_case():
    declared = triggers.trigger({"type": "http", "path": "/lamp", "origins": ["https://Shop.Example.org", "*", "null"]})
    assert declared.origins == (SHOP, "*", "null")
