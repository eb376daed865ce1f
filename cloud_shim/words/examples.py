"""An event for each trigger of a function, as the board would give it: what it can be called with. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from device.protocol.messages import CALL
from device.protocol.triggers import Trigger

Json = dict[str, object]


def examples(triggers: Sequence[Trigger]) -> list[Json]:
    """`{"type", "data"}` of one event for each trigger, the call that carries nothing last.

    >>> from device.protocol.triggers import StartTrigger
    >>> examples([StartTrigger()])
    [{'type': 'lamplight.start', 'data': {}}, {'type': 'lamplight.call', 'data': None}]
    """
    found: list[Json] = []
    for trigger in triggers:
        kind, data = _EVENTS[trigger.kind](trigger)
        event: Json = {"type": f"lamplight.{kind}", "data": data}
        if event not in found:
            found.append(event)
    return [*found, {"type": CALL, "data": None}]


def _sensor(trigger: Any) -> tuple[str, Json]:
    side = "above" if trigger.above is not None else "below" if trigger.below is not None else ""
    edge = trigger.above if trigger.above is not None else trigger.below
    kind = side or ("change" if trigger.delta is not None else "reading")
    lux = 5.0 if edge is None else edge + (1 if side == "above" else -1)
    return f"sensor.{kind}", {"lux": lux, "window": [lux] * trigger.window, "saturated": False}


def _gpio(trigger: Any) -> tuple[str, Json]:
    edge = "falling" if trigger.edge == "both" else trigger.edge
    return f"gpio.{edge}", {"pin": trigger.pin, "value": edge == "rising"}


def _mqtt(trigger: Any) -> tuple[str, Json]:
    topic = trigger.topic.replace("+", "any").replace("#", "any")
    return "mqtt.message", {"topic": topic, "data": {}, "from": "example"}


def _http(trigger: Any) -> tuple[str, Json]:
    path = trigger.path.removesuffix("*")
    request: Json = {"method": trigger.methods[0], "path": path, "query": {}, "headers": {}}
    return "http.request", {**request, "body": "", "base64": False}


def _file(trigger: Any) -> tuple[str, Json]:
    name = trigger.match.replace("*", "example").replace("?", "x")
    return "file.put", {"folder": trigger.folder, "name": name, "path": f"/{trigger.folder}/{name}", "size": 1}


def _cron(trigger: Any) -> tuple[str, Json]:
    return "cron.due", {"scheduled": "2026-01-01T12:00:00+00:00", "schedule": trigger.schedule}


def _function(trigger: Any) -> tuple[str, Json]:
    return "function.result", {"function": trigger.function, "version": 1, "event": "example-1", "result": None}


_EVENTS: Mapping[str, Callable[[Any], tuple[str, Json]]] = {
    "start": lambda _: ("start", {}),
    "timer": lambda _: ("timer.tick", {"missed": 0}),
    "cron": _cron,
    "sensor": _sensor,
    "gpio": _gpio,
    "mqtt": _mqtt,
    "http": _http,
    "file": _file,
    "function": _function,
}
