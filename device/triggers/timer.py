"""The timer trigger: a periodic event, on the monotonic clock.

Ticks missed while the thread was held up are counted in the next event ("missed"), instead of coming late in a row.
"""

import threading
import time
from collections.abc import Callable

from device.triggers.delivery import Deliver
from device.triggers.ticks import due, ticks


class Timer:
    """Delivers every `every` seconds from now on, first after one period."""

    def __init__(
        self,
        every: float,
        deliver: Deliver,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._every = every
        self._deliver = deliver
        self._clock = clock
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"timer {every:g} s", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        start, last = self._clock(), 0
        while not self._closed.wait(max(0.0, due(start, self._every, last + 1) - self._clock())):
            now = ticks(start, self._every, self._clock())
            if now > last:
                self._deliver("timer", "lamplight.timer.tick", {"missed": now - last - 1})
                last = now

    @property
    def fault(self) -> None:
        """It needs its thread alone."""

    def close(self) -> None:
        """Deliver no more."""
        self._closed.set()
        self._thread.join()
