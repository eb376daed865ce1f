"""`lamplight test` runs this; it stays on your machine."""


def tick(function):
    function.send("lamplight.timer.tick", {"missed": 0})
    return function.pins["led"]


def test_it_is_on_for_one_tick_and_off_for_the_next(function):
    assert [tick(function) for _ in range(4)] == [True, False, True, False]
