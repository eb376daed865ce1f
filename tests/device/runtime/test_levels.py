"""What is known of each output, and how much of it becomes a record."""

import pytest

from device.runtime.levels import BURST, Levels, OutputLevel


class Ticking:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def out():
    return []


@pytest.fixture
def levels(clock, out):
    return Levels(lambda *record: out.append(record), clock, clock)


def told(out):
    return [(fields["pin"], fields["before"], fields["level"]) for _, _, fields in out]


def test_an_output_is_unknown_until_somebody_says_its_level(levels, clock, out):
    levels.hold({"led": "f"})
    assert levels.now() == {"led": OutputLevel("f", None, 1000.0)}
    assert out == []
    clock.now = 1001.0
    levels.drove("f", "led", True)
    assert levels.now() == {"led": OutputLevel("f", True, 1001.0)}
    record = {"pin": "led", "function": "f", "level": True, "before": None, "changes": 1}
    assert out == [("telemetry", "output", record)]


def test_the_same_level_again_is_no_change(levels, clock, out):
    levels.hold({"led": "f"})
    levels.drove("f", "led", True)
    clock.now = 1005.0
    levels.drove("f", "led", True)
    levels.hold({"led": "f"})
    assert levels.now()["led"].since == 1000.0
    assert len(out) == 1


@pytest.mark.parametrize(("function", "pin"), [("g", "led"), ("f", "relay"), ("f", ""), ("", "led")])
def test_a_worker_has_no_say_about_what_its_function_does_not_hold(levels, out, function, pin):
    levels.hold({"led": "f"})
    levels.drove(function, pin, True)
    assert levels.now() == {"led": OutputLevel("f", None, 1000.0)}
    assert out == []


def test_what_could_not_be_put_to_rest_is_unknown(levels, out):
    levels.hold({"led": "f"})
    levels.drove("f", "led", True)
    levels.rested("led", None)
    assert levels.now()["led"].level is None
    assert told(out)[-1] == ("led", True, None)


def test_a_pin_that_nobody_holds_any_more_is_unknown_from_then_on(levels, out):
    levels.hold({"led": "f", "relay": "g"})
    levels.rested("led", False)
    levels.hold({"relay": "g"})
    assert list(levels.now()) == ["relay"]
    assert told(out) == [("led", None, False), ("led", False, None)]


def test_a_pin_that_changes_hands_keeps_its_level(levels):
    levels.hold({"led": "f"})
    levels.drove("f", "led", True)
    levels.hold({"led": "g"})
    assert levels.now() == {"led": OutputLevel("g", True, 1000.0)}


def test_a_thousand_changes_a_second_are_a_few_records_and_the_last_level_is_told(levels, clock, out):
    levels.hold({"led": "f"})
    for number in range(10_000):
        clock.now += 0.001
        levels.drove("f", "led", number % 2 == 0)
    # Ten seconds.
    assert BURST + 95 <= len(out) <= BURST + 105
    assert levels.now()["led"].level is False
    clock.now += 1
    levels.settle()
    levels.settle()
    assert out[-1][2]["level"] is False
    assert sum(fields["changes"] for _, _, fields in out) == 10_000
    before = [None, *(fields["level"] for _, _, fields in out)]
    assert [fields["before"] for _, _, fields in out] == before[:-1]


def test_one_busy_output_does_not_silence_another(levels, out):
    levels.hold({"led": "f", "relay": "g"})
    for number in range(1000):
        levels.drove("f", "led", number % 2 == 0)
    levels.drove("g", "relay", True)
    assert told(out)[-1] == ("relay", None, True)
