"""When a simulated board has acted on a change, by its records."""

import pytest

from cloud_shim.cli.reaction import Expected, answered, expected

WORLD = {"lux": 300.0, "covered": False, "unplugged": False, "pins": {"led": False}}
READS = {"type": "sensor", "sensor": "light", "above": None, "below": None, "delta": None}
BUTTON = {"type": "gpio", "pin": "button", "edge": "falling"}


def reading(lux, saturated=False):
    return {"kind": "reading", "lux": lux, "saturated": saturated}


def decided(function, lux=None, kind="decision", trigger="lamplight.sensor.reading"):
    data = {} if lux is None else {"data": {"lux": lux}}
    return {"kind": kind, "function": function, "trigger": trigger, "given": data}


@pytest.mark.parametrize(
    ("before", "changes", "triggers", "wanted"),
    [
        ({}, {"covered": True}, {"f": [READS]}, Expected(3.0, ("f",))),
        ({"covered": True}, {"covered": False}, {"f": [READS], "g": []}, Expected(300.0, ("f",))),
        ({}, {"lux": 50.0}, {}, Expected(50.0, ())),
        ({}, {"covered": False}, {"f": [READS]}, None),
        ({"unplugged": True}, {"covered": True}, {"f": [READS]}, None),
        ({}, {"unplugged": True}, {"f": [READS]}, Expected(None, (), False)),
        ({"unplugged": True}, {"unplugged": False}, {"f": [READS]}, Expected(300.0, ("f",), True)),
        # A function that hears of a crossing only may have nothing to do.
        ({}, {"covered": True}, {"f": [{**READS, "below": 50}]}, Expected(3.0, ())),
        ({}, {"pin": "button", "level": False}, {"f": [BUTTON]}, Expected(None, ("f",))),
        ({}, {"pin": "button", "level": True}, {"f": [BUTTON]}, None),
        ({}, {"pin": "other", "level": False}, {"f": [BUTTON]}, None),
    ],
)
def test_what_is_waited_for_is_what_the_functions_hear_of(before, changes, triggers, wanted):
    assert expected({**WORLD, **before}, changes, triggers) == wanted


@pytest.mark.parametrize(
    ("records", "wanted", "done"),
    [
        ([], Expected(3.0, ()), False),
        ([reading(300)], Expected(3.0, ()), False),
        ([reading(150), reading(3.1)], Expected(3.0, ()), True),
        ([reading(0, True)], Expected(90_000.0, ()), True),
        ([reading(3.0)], Expected(3.0, ("f",)), False),
        ([reading(3.0), decided("g", 3.0)], Expected(3.0, ("f",)), False),
        ([reading(150), decided("f", 150), reading(3.0)], Expected(3.0, ("f",)), False),
        ([reading(3.0), decided("f", 3.0)], Expected(3.0, ("f",)), True),
        ([reading(3.0), decided("f", 3.0, "failure")], Expected(3.0, ("f",)), True),
        ([reading(3.0), decided("f")], Expected(3.0, ("f",)), False),
        ([{"kind": "sensor", "ok": False}], Expected(None, (), False), True),
        ([{"kind": "sensor", "ok": True}], Expected(None, (), False), False),
        ([reading(3.0)], Expected(3.0, (), True), False),
        ([decided("f", trigger="lamplight.gpio.falling")], Expected(None, ("f",)), True),
        ([decided("f", trigger="lamplight.timer.tick")], Expected(None, ("f",)), False),
    ],
)
def test_the_boards_own_records_say_that_it_has_acted(records, wanted, done):
    assert answered(records, wanted) is done
