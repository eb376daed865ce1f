"""The cron trigger: an event at times of day. calendar.py finds the times.

It watches the wall clock, and the clock may jump. Moments missed while the board was off, asleep, or had a wrong clock
stay missed: one is delivered at most LATEST after its time. After a step back of less than LONGEST_REPEAT the delivered
moments stay done. A longer step back means that the clock was wrong: the schedule starts over from there. A clock
before 2020 was never set, and its moments are skipped. A schedule without a zone follows the board's when it changes.
"""

import logging
import threading
import time
from collections.abc import Callable

from device.calendar import Calendar
from device.protocol.triggers import CronTrigger as Declared
from device.triggers.delivery import Deliver

_log = logging.getLogger(__name__)
LATEST = 60.0
LONGEST_REPEAT = 3 * 3600.0
# A jump of the clock is noticed this soon, in seconds.
LOOK = 10.0
_SET = 1577836800.0  # 2020-01-01


class Watch:
    """Decides, each time it is shown the clock, whether a moment has come. Pure."""

    def __init__(self, calendar: Calendar, now: float) -> None:
        self._calendar = calendar
        # No moment up to this one is due any more.
        self._done = now

    def look(self, now: float) -> float | None:
        """The moment to deliver at `now`, if one has come."""
        if now < self._done - LONGEST_REPEAT or now < _SET:
            self._done = now
            return None
        if now > self._done + LONGEST_REPEAT:
            # All but the last seconds of such a jump is too late anyway, and may hold a million moments.
            self._done = now - LATEST
        latest = None
        while (due := self._calendar.after(self._done)) is not None and due <= now:
            self._done = due
            latest = due if now - due <= LATEST else None
        return latest

    def patience(self, now: float) -> float:
        """How many seconds until it is worth looking again."""
        due = self._calendar.after(max(self._done, now))
        return LOOK if due is None else min(LOOK, max(0.0, due - now))


class Cron:
    """Delivers at each moment of the declared schedule, until closed. Raises BadArtifactError as Calendar does."""

    def __init__(self, declared: Declared, deliver: Deliver, clock: Callable[[], float] = time.time) -> None:
        self._calendar = Calendar(declared.schedule, declared.zone)
        self._schedule = declared.schedule
        self._deliver = deliver
        self._clock = clock
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"cron {declared.schedule}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        watch = Watch(self._calendar, self._clock())
        while not self._closed.wait(watch.patience(self._clock())):
            if self._calendar.follow():
                _log.info("The board has another time zone; %r is due by it from now on", self._schedule)
            due = watch.look(self._clock())
            if due is not None:
                data = {"scheduled": self._calendar.written(due), "schedule": self._schedule}
                self._deliver("cron", "lamplight.cron.due", data, self._schedule)

    @property
    def fault(self) -> None:
        """Its zone was found when it was made."""

    def close(self) -> None:
        """Deliver no more."""
        self._closed.set()
        self._thread.join()
