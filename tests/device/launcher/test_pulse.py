"""When silence means that the agent hangs."""

from device.launcher.pulse import FIRST, PERIOD, SILENT, Pulse


def test_one_that_goes_round_does_not_hang() -> None:
    pulse = Pulse(0.0, speaks=True)
    for turn in range(100):
        pulse.beat(turn * PERIOD)
        assert not pulse.hangs((turn + 1) * PERIOD)


def test_one_that_falls_silent_hangs() -> None:
    pulse = Pulse(0.0, speaks=False)
    pulse.beat(5.0)
    assert not pulse.hangs(5.0 + SILENT) and pulse.hangs(5.1 + SILENT)


def test_one_that_never_speaks_has_long_enough_to_load_its_functions() -> None:
    assert not Pulse(0.0, speaks=True).hangs(FIRST) and Pulse(0.0, speaks=True).hangs(FIRST + 1)


def test_an_earlier_version_that_knows_nothing_of_this_is_left_alone() -> None:
    assert not Pulse(0.0, speaks=False).hangs(1e6)
