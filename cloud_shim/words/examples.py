"""An event for each trigger of a function, as the board would give it: the events to call it with. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from device.protocol.messages import CALL
from device.protocol.triggers import Trigger

Json = dict[str, object]
# The name of each after "lamplight.", and its data.
Events = list[tuple[str, Json]]


def examples(triggers: Sequence[Trigger]) -> list[Json]:
    """`{"type", "data"}` of one event for each trigger, and last a call with no data.

    >>> from device.protocol.triggers import StartTrigger
    >>> examples([StartTrigger()])
    [{'type': 'lamplight.start', 'data': {}}, {'type': 'lamplight.call', 'data': None}]
    """
    found: list[Json] = []
    for trigger in triggers:
        events: list[Json] = [
            {"type": f"lamplight.{kind}", "data": data} for kind, data in _EVENTS[trigger.kind](trigger)
        ]
        found += [event for event in events if event not in found]
    return [*found, {"type": CALL, "data": None}]


def _sensor(trigger: Any) -> Events:
    if trigger.above is not None:
        return [_reading("above", trigger.above + 1, trigger), _reading("below", trigger.below - 1, trigger)]
    return [_reading("reading" if trigger.delta is None else "change", 5.0, trigger)]


def _reading(kind: str, lux: float, trigger: Any) -> tuple[str, Json]:
    return f"sensor.{kind}", {"lux": lux, "window": [lux] * trigger.window, "saturated": False}


def _gpio(trigger: Any) -> Events:
    edges = ("falling", "rising") if trigger.edge == "both" else (trigger.edge,)
    return [(f"gpio.{edge}", {"pin": trigger.pin, "value": edge == "rising"}) for edge in edges]


def _mqtt(trigger: Any) -> Events:
    topic = trigger.topic.replace("+", "any").replace("#", "any")
    return [("mqtt.message", {"topic": topic, "data": {}, "from": "example"})]


def _http(trigger: Any) -> Events:
    path = trigger.path.removesuffix("*")
    request: Json = {"method": trigger.methods[0], "path": path, "query": {}, "queries": {}, "headers": {}}
    return [("http.request", {**request, "body": "", "base64": False})]


def _file(trigger: Any) -> Events:
    name = trigger.match.replace("*", "example").replace("?", "x")
    return [("file.put", {"folder": trigger.folder, "name": name, "path": f"/{trigger.folder}/{name}", "size": 1})]


def _cron(trigger: Any) -> Events:
    return [("cron.due", {"scheduled": "2026-01-01T12:00:00+00:00", "schedule": trigger.schedule})]


def _function(trigger: Any) -> Events:
    return [("function.result", {"function": trigger.function, "version": 1, "event": "example-1", "result": None})]


_EVENTS: Mapping[str, Callable[[Any], Events]] = {
    "start": lambda _: [("start", {})],
    "timer": lambda _: [("timer.tick", {"missed": 0})],
    "cron": _cron,
    "sensor": _sensor,
    "gpio": _gpio,
    "mqtt": _mqtt,
    "http": _http,
    "file": _file,
    "function": _function,
}
