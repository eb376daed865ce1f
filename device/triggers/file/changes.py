"""Reads the kernel's notices about a folder as changes of its files: put, or removed. Pure.

A file counts as put when its writer has closed it, or when it was moved in. The change is told SETTLE later, and until
then a renaming just changes its name. So a file written under another name and then renamed is put once, under its last
name. Writing it twice in that time is one event too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from device.triggers.file.inotify import CLOSE_WRITE, DELETE, IS_FOLDER, MOVED_FROM, MOVED_TO, Notice

SETTLE = 0.1
PUT = "put"
REMOVED = "removed"


@dataclass
class Changes:
    """The untold changes, and the known files."""

    known: set[str] = field(default_factory=set[str])
    _pending: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])

    def notice(self, notice: Notice, now: float) -> None:
        """Take a notice at `now`, in seconds of any clock that only goes up."""
        if notice.mask & IS_FOLDER:
            return
        if notice.mask & (CLOSE_WRITE | MOVED_TO):
            self._pending[notice.name] = (PUT, now + SETTLE)
        elif notice.mask & (DELETE | MOVED_FROM):
            # An untold file needs no taking back.
            self._pending.pop(notice.name, None)
            if notice.name in self.known:
                self._pending[notice.name] = (REMOVED, now + SETTLE)

    def found(self, names: Iterable[str], now: float) -> None:
        """Compare a fresh listing with the known files, after lost notices: the differences are changes."""
        there = set(names)
        for name in there - self.known:
            self._pending.setdefault(name, (PUT, now + SETTLE))
        for name in self.known - there:
            self._pending[name] = (REMOVED, now + SETTLE)

    def due(self, now: float) -> list[tuple[str, str]]:
        """The changes ripe for telling, as (PUT or REMOVED, name), in the order of the events."""
        ready = sorted(((at, name, what) for name, (what, at) in self._pending.items() if at <= now))
        for _, name, what in ready:
            del self._pending[name]
            (self.known.add if what == PUT else self.known.discard)(name)
        return [(what, name) for _, name, what in ready]

    def patience(self, now: float) -> float | None:
        """Seconds until a change is due; None when there is none."""
        return max(0.0, min(at for _, at in self._pending.values()) - now) if self._pending else None
