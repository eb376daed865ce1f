"""A replayed handler's surroundings: sensors, pins and state with the same answers as on the board.

An answer comes from the record of the event. Code asking for more than the recorded code did gets the last answer
recorded before; if there is none, NotRecordedError, for an invented value would prove nothing.
"""

import json
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, cast

from device.errors import LamplightError
from device.hal.sensors.light import Reading
from device.replay.trace import Step
from device.runtime.worker.context import Leased, Sensor
from device.runtime.worker.reads import forget
from device.runtime.worker.state import encoded


class NotRecordedError(LamplightError):
    """The function asked for something missing in the trace."""


class Recorded:
    """The recorded answers: of the event in hand, in order, and the last ones of before."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, str], list[object]] = {}
        self._last: dict[tuple[str, str], object] = {}

    def begin(self, step: Step) -> None:
        """The event of `step` begins. Its own reading is an answer, too."""
        self._next = {}
        data: Any = step.event.data
        if step.event.type.startswith("lamplight.sensor.") and isinstance(data, dict) and "lux" in data:
            given = cast("dict[str, object]", data)
            self._last["sensor", step.event.subject] = [given["lux"], bool(given.get("saturated"))]
        for kind, name, value in step.reads:
            self._next.setdefault((kind, name), []).append(value)

    def answer(self, kind: str, name: str) -> object:
        """The next recorded value of this, or the last one after them. Raises NotRecordedError."""
        waiting = self._next.get((kind, name))
        if waiting:
            self._last[kind, name] = waiting.pop(0)
        if (kind, name) not in self._last:
            raise NotRecordedError(
                f"The trace has no reading of the {kind} {name!r}",
                "the recorded release did not read it",
                "Record a trace of a release that does",
            )
        return self._last[kind, name]

    def first(self, kind: str, name: str) -> object:
        """The first value read of this for the present event; raises KeyError when it was not read."""
        return self._next[kind, name][0]


class ReplayedSensor:
    """A light sensor with the recorded readings."""

    def __init__(self, name: str, recorded: Recorded) -> None:
        self._name = name
        self._recorded = recorded

    def read(self) -> Reading:
        """The recorded reading; a recorded failure raises as it did."""
        value: Any = self._recorded.answer("sensor", self._name)
        if not isinstance(value, list):
            raise LamplightError(str(value))
        lux, saturated = cast("list[Any]", value)
        return Reading(float(lux), bool(saturated))

    def close(self) -> None:
        """Do nothing: a replayed part holds nothing open."""


class ReplayedOutput:
    """An output; it keeps the level set last."""

    def __init__(self, value: bool) -> None:
        self.value = value

    def __json__(self) -> bool:
        """Its level."""
        return self.value


class ReplayedInput:
    """An input with the recorded levels."""

    def __init__(self, name: str, recorded: Recorded) -> None:
        self._name = name
        self._recorded = recorded

    @property
    def value(self) -> bool:
        """The recorded level."""
        return bool(self._recorded.answer("pin", self._name))

    def __json__(self) -> bool:
        """The recorded level."""
        return self.value


class ReplayedState(MutableMapping[str, object]):
    """`context.state` in memory. A key unset in this replay has the board's value from the recorded read."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._kept: dict[str, str] = {}
        self._new: dict[str, str] = {}
        self._gone: set[str] = set()

    def end(self, kept: bool) -> None:
        """The event is over; its changes are kept or dropped."""
        if kept:
            self._kept = {key: text for key, text in {**self._kept, **self._new}.items() if key not in self._gone}
        self._new, self._gone = {}, set()

    def __getitem__(self, key: str) -> object:
        if key in self._gone:
            raise KeyError(key)
        text = self._new.get(key, self._kept.get(key))
        return json.loads(text) if text is not None else self._recorded.first("state", key)

    def __setitem__(self, key: str, value: object) -> None:
        self._new[key] = encoded(key, value)
        self._gone.discard(key)

    def __delitem__(self, key: str) -> None:
        self[key]  # pyright: ignore[reportUnusedExpression]
        self._new.pop(key, None)
        self._gone.add(key)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._kept, *self._new} - self._gone))

    def __len__(self) -> int:
        return len({*self._kept, *self._new} - self._gone)


def sensors(names: list[str], recorded: Recorded) -> Leased[Sensor]:
    """The function's sensors."""
    return Leased(
        names, lambda name: Sensor(name, ReplayedSensor(name, recorded), forget), "sensor", "name it in function.toml"
    )


def pins(levels: Mapping[str, bool], inputs: list[str], recorded: Recorded) -> "Leased[ReplayedOutput | ReplayedInput]":
    """The function's pins; outputs begin at these levels."""
    return Leased(
        [*levels, *inputs],
        lambda name: ReplayedOutput(levels[name]) if name in levels else ReplayedInput(name, recorded),
        "pin",
        "lease it in function.toml",
    )
