"""`lamplight test` runs this; it stays on your machine."""


def test_it_lights_in_the_dark(function):
    function.light(20)
    assert function.pins["led"] is True


def test_it_is_off_in_the_light(function):
    function.light(20)
    function.light(300)
    assert function.pins["led"] is False


def test_the_threshold_is_a_setting(function):
    function.configure(threshold=10)
    function.light(20)
    assert function.pins["led"] is False
