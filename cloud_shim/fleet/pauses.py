"""Keeps a credential that floods away from the broker, for a time that grows with each flood.

The broker has no limit for one client: its queue for the shim fills with the flood, and others wait behind it or are
dropped. So the credential is taken out of the broker's list, which ends its connection, and put back after a minute,
two, four … at most an hour. A device that floods by a fault comes back by itself; its records wait on it. The flood is
noticed by records/budgets.py.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import select

from cloud_shim.database import Database
from cloud_shim.fleet.changes import Changes
from cloud_shim.tables import DeviceRow, PauseRow

logger = logging.getLogger(__name__)

SHARED = "_shared"
"""Stands for all writers of the topics on which functions meet: the broker does not say who sent there."""
FIRST, LONGEST = 60.0, 3600.0
_FORGIVEN = 86400.0  # seconds of peace after which a flood counts as the first
_AGAIN = 2.0  # the broker may lose a signal to read its files that comes while it reads them


class Pause(NamedTuple):
    """Kept out from when until when, for the how manieth time in a row."""

    times: int
    began: float
    until: float

    def is_on(self, now: float) -> bool:
        """Whether it lasts. One that begins in a time to come is from a clock that ran ahead."""
        return self.began <= now < self.until


def following(before: Pause | None, now: float) -> Pause:
    """The pause for a flood at the time `now`, after the one before."""
    times = before.times + 1 if before and 0 <= now - before.until < _FORGIVEN else 1
    return Pause(times, now, now + min(LONGEST, FIRST * 2 ** min(times - 1, 10)))


class Pauses:
    """The credentials kept out of one fleet. For any thread."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        admit: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`admit` tells the broker the credentials to let in; it asks `leave_out` for the others."""
        self._database = database
        self._changes = changes
        self._admit = admit
        self._clock = clock
        self._lock = threading.Lock()
        with database.read() as session:
            rows = list(session.scalars(select(PauseRow)))
        self._all = {row.name: Pause(row.times, row.began, row.until) for row in rows}
        self._admitted = 0.0
        self._out: set[str] = set()
        self._struck = False

    def flooded(self, name: str) -> None:
        """The credential sends far more than its share: keep it out, if it is not out yet."""
        with self._lock:
            now, before = self._clock(), self._all.get(name)
            lasting = before is not None and before.is_on(now)
            if lasting and 0 <= now - self._admitted < _AGAIN:
                return
            self._admitted, self._struck = now, True
            if before is None or not lasting:
                self._all[name] = following(before, now)
            pause = self._all[name]
        self._admit()
        if not lasting:
            logger.warning("%s floods: kept out for %d s", name, pause.until - pause.began)
            self._keep(name, pause)

    def end(self, name: str) -> None:
        """A person has seen to it: let the credential in at once."""
        with self._lock:
            before, now = self._all.get(name), self._clock()
            if before is None or not before.is_on(now):
                return
            pause = self._all[name] = Pause(before.times, before.began, now)
        self._keep(name, pause)
        self._admit()

    def leave_out(self) -> set[str]:
        """The credentials to keep out now, for `admit`."""
        out = set(self.known())
        with self._lock:
            self._out = out
        return out

    def is_out(self, name: str) -> bool:
        """Whether the credential is kept out."""
        with self._lock:
            pause = self._all.get(name)
            return pause is not None and pause.is_on(self._clock())

    def known(self) -> dict[str, Pause]:
        """The pauses that last, by credential."""
        with self._lock:
            return {name: each for name, each in sorted(self._all.items()) if each.is_on(self._clock())}

    def look(self) -> bool:
        """Let those in whose pause is over. Whether somebody flooded since the last look."""
        out = set(self.known())
        with self._lock:
            ended = self._out - out
            struck, self._struck = self._struck, False
        if ended:
            self._admit()
        if struck:
            self._show_offline(out)
        return struck

    def _keep(self, name: str, pause: Pause) -> None:
        with self._database.write() as session:
            session.merge(PauseRow(name=name, **pause._asdict()))

    def _show_offline(self, names: set[str]) -> None:
        """The wills of those kept out are not heard: they have no rights any more."""
        with self._database.write() as session:
            for row in session.scalars(select(DeviceRow).where(DeviceRow.name.in_(names))):
                row.online = False
        for name in names:
            self._changes.device(name)
