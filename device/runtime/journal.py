"""Records the events, lines and messages of one function (docs/protocol/records.md), bounded in length and rate.

It chooses the records; `emit` sends them on.
"""

import json
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, cast

from device.allowance import Allowance
from device.event import Event
from device.generation import InstalledFunction
from device.protocol.settings import settings_mark
from device.runtime.policy import Policy
from device.runtime.wire.messages import Result
from device.runtime.worker.reads import MAX_SIZE

Emit = Callable[[str, str, dict[str, object]], None]
# To the listening functions of the fleet: sender, topic, data, and the functions that led to it. Gives a text for the
# log when they start each other in a circle, or else "".
Send = Callable[[str, str, object, tuple[str, ...]], str]
# Between two such texts in one log, in seconds.
_TELL = 60.0
MAX_LINE = 2000
# Of a result in a decision record, in characters of JSON: telemetry is not for bulk.
MAX_RESULT = 2000


class Clock(Protocol):
    """Seconds, always rising."""

    def __call__(self) -> float:
        """Now."""
        ...


class Journal:
    """The records of one version of one function; any thread."""

    def __init__(self, emit: Emit, send: Send, function: InstalledFunction, policy: Policy, clock: Clock) -> None:
        self._emit = emit
        self._send = partial(send, function.name)
        self._who: dict[str, object] = {"function": function.name, "version": function.version}
        self._settings = settings_mark(dict(function.config))
        self._clock = clock
        self._allowance = Allowance(policy.lines, policy.burst, clock())
        self._messages = Allowance(policy.messages, round(2 * policy.messages), clock())
        self._dropped = 0
        # How often the function took its last turn in a circle of functions that start each other.
        self.circles = 0
        self._next_circle = clock()
        self._counting = threading.RLock()

    def lines(self, level: str, texts: list[str], event: str = "") -> None:
        """Record lines of the function's log; lines beyond the allowance are counted instead.

        `event` is the id of the event in hand, "" for none.
        """
        granted = self._grant(len(texts))
        for text in texts[:granted]:
            self._line(level, text, event)

    def publish(self, topic: str, data: object, trail: tuple[str, ...] = ()) -> None:
        """Something the function sends to the fleet and, as a record, to the cloud; more of it to the former.

        `trail` are the functions that led to it.
        """
        with self._counting:
            sent = self._messages.take(1, self._clock())
        if sent and (circle := self._send(topic, data, trail)):
            self._in_circle(circle)
        if self._grant(1):
            self._emit("events", "publish", {**self._who, "topic": topic[:MAX_LINE], "data": data})

    def _in_circle(self, told: str) -> None:
        with self._counting:
            self.circles += 1
            due = self._clock() >= self._next_circle
            if due:
                self._next_circle = self._clock() + _TELL
        if due:
            self.note("warning", told)

    def note(self, level: str, text: str) -> None:
        """Record a line about the function, by the runtime: always kept."""
        self._line(level, text)

    def worker(self, what: str, detail: str = "") -> None:
        """A worker started, crashed, timeout, memory, stopped."""
        self.flush()
        self._emit("events", "worker", {**self._who, "what": what, "detail": detail[:MAX_LINE]})

    def decision(self, event: Event, size: int, result: Result) -> None:
        """Record a handled event; `size` is its length as JSON, in bytes."""
        data: object = event.data
        lux = cast("dict[str, object]", data).get("lux") if isinstance(data, dict) else None
        fields = self._given(event, size, result.reads)
        if isinstance(lux, (int, float)):
            fields["lux"] = lux
        self._emit(
            "telemetry", "decision", {**fields, "pins": result.pins, "result": brief(result.value), "ms": result.ms}
        )

    def failure(self, event: Event, size: int, error: str, reads: Sequence[object] | None) -> None:
        """Record an event that failed or was left unfinished; `size` as in `decision`."""
        self._emit("telemetry", "failure", {**self._given(event, size, reads), "error": error[:MAX_LINE]})

    def _given(self, event: Event, size: int, reads: Sequence[object] | None) -> dict[str, object]:
        """The handler's input, for a replay: whole, or visibly incomplete. Of its settings, the mark."""
        given: dict[str, object] = {"source": event.source, "time": event.time, "settings": self._settings}
        if event.subject:
            given["subject"] = event.subject
        if event.hops:
            given["hops"] = event.hops
        if size <= MAX_SIZE:
            given["data"] = event.data
        fields: dict[str, object] = {**self._who, "event": event.id, "trigger": event.type, "given": given}
        if reads is None or reads:
            # A worker may be hostile: its own word about the size counts for nothing.
            fields["reads"] = reads if reads and len(json.dumps(reads)) <= MAX_SIZE else None
        return fields

    def flush(self) -> None:
        """Record how many lines and messages were dropped since the last such record."""
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._line("warning", f"{dropped} log lines or messages dropped: too many a second")

    def _grant(self, wanted: int) -> int:
        with self._counting:
            granted = self._allowance.take(wanted, self._clock())
            if granted:
                self.flush()
            self._dropped += wanted - granted
        return granted

    def _line(self, level: str, text: str, event: str = "") -> None:
        said = {"event": event} if event else {}
        self._emit("logs", "log", {**self._who, **said, "level": level, "text": text[:MAX_LINE]})


def brief(value: object) -> object:
    """A result as a record has it: a large one is replaced by its size."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    size = len(json.dumps(value))
    return value if size <= MAX_RESULT else f"({size} bytes)"
