"""What each device sent beyond its share, kept in the database: people find it after a restart, and for a day.

Of one device and kind it is one row. It is noted in memory and written by `save`, now and then: a flood must not cost
a write for each of its messages. The words are words/excess.py's.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import delete, select

from cloud_shim.database import Database
from cloud_shim.tables import ExcessRow

TOLD = 86400.0
"""Seconds for which people hear of an excess that has ended."""


class Excess(NamedTuple):
    """So many messages or records, and their bytes, from when until when by the wall's clock."""

    first: float
    last: float
    number: int
    bytes: int


class Excesses:
    """The excesses of one fleet's credentials; `kind` is a stream beyond its bytes, "sent", "retained" or "foreign"."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._changed: set[tuple[str, str]] = set()
        with database.read() as session:
            rows = list(session.scalars(select(ExcessRow)))
        self._all = {(row.device, row.kind): Excess(row.first, row.last, row.number, row.bytes) for row in rows}

    def note(self, device: str, kind: str, count: int, bytes: int = 0) -> None:
        """The device went beyond its share by so much, just now."""
        with self._lock:
            now, old = self._clock(), self._all.get((device, kind))
            if old is None or not self._fresh(old):
                old = Excess(now, now, 0, 0)
            self._all[device, kind] = Excess(old.first, now, old.number + count, old.bytes + bytes)
            self._changed.add((device, kind))

    def known(self) -> dict[tuple[str, str], Excess]:
        """The excesses of the last day, by device and kind, in order."""
        with self._lock:
            return {key: each for key, each in sorted(self._all.items()) if self._fresh(each)}

    def save(self) -> None:
        """Write down all that is new, and remove what is old."""
        with self._lock:
            old = [key for key, each in self._all.items() if not self._fresh(each)]
            for key in old:
                del self._all[key]
            changed = {key: self._all[key] for key in self._changed if key in self._all}
            self._changed.clear()
        if not changed and not old:
            return
        with self._database.write() as session:
            for device, kind in old:
                session.execute(delete(ExcessRow).where(ExcessRow.device == device, ExcessRow.kind == kind))
            for (device, kind), each in changed.items():
                session.merge(ExcessRow(device=device, kind=kind, **each._asdict()))

    def _fresh(self, excess: Excess) -> bool:
        # One from a time to come is from a clock that ran ahead.
        return 0 <= self._clock() - excess.last <= TOLD
