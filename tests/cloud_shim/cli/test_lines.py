"""Records as lines for people."""

import re

import pytest

from cloud_shim.cli import lines

BASE = {"id": 1, "device": "desk-pi", "stream": "telemetry", "boot": "1-0", "seq": 1, "time": 0.25, "received": 1.0}


def text(**fields) -> str:
    """The line without its time of day."""
    return re.sub(r"^\d\d:\d\d:\d\d\.2  ", "", "".join(piece for piece, _ in lines.record({**BASE, **fields})))


def decision(**fields) -> str:
    given = {"function": "night-light", "version": 2, "event": "e", "trigger": "sensor", "pins": {}, "ms": 0.1}
    return text(kind="decision", **{**given, **fields})


def test_a_decision_has_light_led_and_who_decided():
    assert decision(lux=3.04, pins={"led": True}) == "     3.0 lux  ● led  night-light v2"
    assert decision(lux=320, pins={"led": False}) == "   320.0 lux  ○ led  night-light v2"


def test_a_decision_without_light_or_pins_has_its_result():
    assert decision(result={"a": 1}).split() == ["night-light", "v2", "→", "{'a':", "1}"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"kind": "log", "function": "", "version": 0, "level": "warning", "text": "no broker"},
            "agent  warning  no broker",
        ),
        (
            {"kind": "update", "generation": 3, "state": "REVERTED", "reason": "crashed"},
            "update  generation 3 REVERTED: crashed",
        ),
        ({"kind": "update", "generation": 3, "state": "TRIAL", "reason": ""}, "update  generation 3 TRIAL"),
        (
            {"kind": "worker", "function": "f", "version": 1, "what": "crashed", "detail": "signal 6"},
            "f v1  crashed: signal 6",
        ),
        (
            {"kind": "sensor", "sensor": "light", "ok": False, "error": "no answer"},
            "sensor light  cannot be read: no answer",
        ),
        ({"kind": "sensor", "sensor": "light", "ok": True, "error": ""}, "sensor light  works again"),
        ({"kind": "publish", "function": "f", "version": 1, "topic": "t", "data": [1]}, "f v1  published to t: [1]"),
        ({"kind": "reading", "sensor": "light", "lux": 12.0, "saturated": True}, "    12.0 lux  saturated"),
        ({"kind": "weather", "wind": 3}, "weather  wind=3"),
    ],
)
def test_each_kind_has_a_line(fields, expected):
    assert text(**fields) == expected


def test_control_characters_do_not_pass():
    assert "\x1b" not in text(kind="log", function="f", version=1, level="info", text="\x1b[2J\r\x00hidden\nline")
