"""A clock standing at the replayed event's time, for every way a function has to ask for the time.

It replaces the standard library's functions in this process, so a process that replays does nothing else. Code asking
the system in another way (a C library, a child process) gets the real time.
"""

import datetime
import math
import selectors
import threading
import time
from collections.abc import Callable
from datetime import tzinfo
from typing import Any


class VirtualClock:
    """Seconds since 1970, moved only by `at` and by sleeping."""

    def __init__(self) -> None:
        self._now = 0.0

    def at(self, seconds: float) -> None:
        """It is now this late."""
        self._now = seconds

    def now(self) -> float:
        """How late it is."""
        return self._now

    def install(self, replace: Callable[[Any, str, Any], None] = setattr) -> None:
        """Take the place of `time` and of `datetime`'s classes, by `replace`; before the function is imported."""
        for name in ("time", "monotonic", "perf_counter"):
            replace(time, name, self.now)
            replace(time, f"{name}_ns", lambda: int(self._now * 1e9))
        replace(time, "sleep", self.sleep)
        replace(selectors, "DefaultSelector", lambda: Waiting(self))
        for kind in _classes(self):
            replace(datetime, (kind.__base__ or kind).__name__, kind)

    def sleep(self, seconds: float) -> None:
        """Let so much time pass, at once."""
        self._now += max(0.0, seconds)


# Taken before a clock takes its place.
_Selector = selectors.DefaultSelector
_MOMENT = 1e-6
# The time given to another thread, in seconds: it may be about to act, or be idle.
_THREADS = 0.2


class Waiting(_Selector):
    """How asyncio waits under the clock: a wait for time alone is over at once."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> "list[tuple[selectors.SelectorKey, int]]":
        """The files ready within `timeout` seconds."""
        ready = super().select(timeout if timeout is None else min(timeout, self._real()))
        if not ready and timeout:
            # A little more: the loop takes a moment just reached for one still to come.
            self._clock.sleep(timeout + _MOMENT)
        return ready

    def _real(self) -> float:
        """How many seconds to wait by a real clock, for connections and threads beyond this one's reach."""
        if len(self.get_map()) > 1:
            # Besides the loop's own pipe there is a connection.
            return math.inf
        return _THREADS if threading.active_count() > 1 else 0


def _classes(clock: VirtualClock) -> tuple[type[datetime.datetime], type[datetime.date]]:
    real = datetime.datetime

    class Moment(datetime.datetime):
        """`datetime` under the clock."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Moment":
            """Now."""
            return cls.fromtimestamp(clock.now(), tz)

        @classmethod
        def utcnow(cls) -> "Moment":
            """Now, in UTC, as a naive time."""
            return cls.fromtimestamp(clock.now(), datetime.UTC).replace(tzinfo=None)

    class Day(datetime.date):
        """`date` under the clock."""

        @classmethod
        def today(cls) -> "Day":
            """Today."""
            now = real.fromtimestamp(clock.now())
            return cls(now.year, now.month, now.day)

    return Moment, Day
