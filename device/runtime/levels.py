"""The level of each held output of this board, as it was driven last.

A worker reports the levels it drives, the runtime those it puts to rest; both end here. A change becomes a record; a
pin that changes often gets one only now and then. It only takes notes. A level is None while it is uncertain.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from device.allowance import Allowance
from device.health import OutputLevel
from device.runtime.journal import Clock, Emit

# Records of one output, a second and at once: as many as a person can see, and a plot can show.
RATE = 10.0
BURST = 20


@dataclass
class _Held:
    now: OutputLevel
    allowance: Allowance
    # The last record's level, and the number of changes since.
    told: bool | None = None
    changes: int = 0


class Levels:
    """The levels of the held outputs; for any thread."""

    def __init__(self, emit: Emit, clock: Clock = time.time, monotonic: Clock = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._monotonic = monotonic
        # Held while a record is given out too: records come in the order of the changes.
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def now(self) -> Mapping[str, OutputLevel]:
        """Every held output, with its level."""
        with self._lock:
            return {pin: held.now for pin, held in sorted(self._held.items())}

    def hold(self, holders: Mapping[str, str]) -> None:
        """From now on exactly these outputs are held, each by the function given with it."""
        with self._lock:
            for pin in set(self._held) - set(holders):
                held = self._held.pop(pin)
                if held.now.level is not None:
                    # Once a line has lost its holder, this board no longer knows its level.
                    held.changes += 1
                    self._record(pin, held, None)
            for pin, function in holders.items():
                if pin not in self._held:
                    unknown = OutputLevel(function, None, self._clock())
                    self._held[pin] = _Held(unknown, Allowance(RATE, BURST, self._monotonic()))
                held = self._held[pin]
                held.now = replace(held.now, function=function)

    def drove(self, function: str, pin: str, level: bool) -> None:
        """A worker of `function` reports its level for `pin`. It has a say about its own outputs alone."""
        with self._lock:
            held = self._held.get(pin)
            if held and held.now.function == function:
                self._set(pin, held, level)

    def rested(self, pin: str, level: bool | None) -> None:
        """The runtime drove `pin` to `level`; None after a failed attempt: the level is then unknown."""
        with self._lock:
            if held := self._held.get(pin):
                self._set(pin, held, level)

    def settle(self) -> None:
        """Record the last level of each pin that changed too often; to be called now and then."""
        with self._lock:
            for pin, held in self._held.items():
                self._tell(pin, held)

    def _set(self, pin: str, held: _Held, level: bool | None) -> None:
        if level == held.now.level:
            return
        held.now = replace(held.now, level=level, since=self._clock())
        held.changes += 1
        self._tell(pin, held)

    def _tell(self, pin: str, held: _Held) -> None:
        if held.changes and held.allowance.take(1, self._monotonic()):
            self._record(pin, held, held.now.level)

    def _record(self, pin: str, held: _Held, level: bool | None) -> None:
        fields: dict[str, object] = {"pin": pin, "function": held.now.function, "level": level}
        self._emit("telemetry", "output", {**fields, "before": held.told, "changes": held.changes})
        held.told, held.changes = level, 0
