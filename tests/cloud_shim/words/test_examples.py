"""An event for each kind of trigger, as the board would give it."""

import pytest

from cloud_shim.words.examples import examples
from device.protocol.messages import event_type
from device.protocol.triggers import KINDS, trigger

TABLES = {
    "start": {},
    "timer": {"every": "1s"},
    "cron": {"schedule": "* * * * *"},
    "sensor": {"sensor": "light", "window": 3},
    "gpio": {"pin": "button"},
    "mqtt": {"topic": "rooms/+/light"},
    "http": {"path": "/lamp/*", "methods": ["PUT"]},
    "file": {"folder": "inbox", "match": "*.jpg"},
    "function": {"function": "other"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_trigger_has_an_event_and_the_plain_call_is_last(kind):
    event, *_, call = examples([trigger({"type": kind, **TABLES[kind]})])
    assert event_type(event["type"]).startswith(f"lamplight.{kind}")
    assert isinstance(event["data"], dict)
    assert call == {"type": "lamplight.call", "data": None}


@pytest.mark.parametrize(
    ("gate", "events"),
    [
        ({"above": 60, "below": 50}, [("above", 61), ("below", 49)]),
        ({"delta": 5}, [("change", 5.0)]),
        ({}, [("reading", 5.0)]),
    ],
)
def test_each_side_of_a_gate_has_an_event(gate, events):
    told = examples([trigger({"type": "sensor", "sensor": "light", **gate})])[:-1]
    assert [(each["type"].removeprefix("lamplight.sensor."), each["data"]["lux"]) for each in told] == events


def test_two_triggers_alike_are_one_example_and_none_leave_the_plain_call():
    timer = trigger({"type": "timer", "every": "1s"})
    assert len(examples([timer, timer])) == 2
    assert examples([]) == [{"type": "lamplight.call", "data": None}]
