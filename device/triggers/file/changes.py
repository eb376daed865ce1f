"""What the kernel's notices about a folder mean for its files: put, or removed. Pure.

A file counts as put when whoever wrote it has closed it, or when it was moved in. It is told of SETTLE later, and
until then renaming it just changes its name: a file that is written under another name and renamed is put once,
under its last name. Writing it twice in that time is one event too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from device.triggers.file.inotify import CLOSE_WRITE, DELETE, IS_FOLDER, MOVED_FROM, MOVED_TO, Notice

SETTLE = 0.1
PUT = "put"
REMOVED = "removed"


@dataclass
class Changes:
    """What is not told of yet, and what files are known to be there."""

    known: set[str] = field(default_factory=set[str])
    _pending: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])

    def notice(self, notice: Notice, now: float) -> None:
        """Something happened at `now`, in seconds of any clock that only goes up."""
        if notice.mask & IS_FOLDER:
            return
        if notice.mask & (CLOSE_WRITE | MOVED_TO):
            self._pending[notice.name] = (PUT, now + SETTLE)
        elif notice.mask & (DELETE | MOVED_FROM):
            # What was never told of has not to be taken back.
            self._pending.pop(notice.name, None)
            if notice.name in self.known:
                self._pending[notice.name] = (REMOVED, now + SETTLE)

    def found(self, names: Iterable[str], now: float) -> None:
        """The folder was read anew, for notices were lost: differences to what is known are changes."""
        there = set(names)
        for name in there - self.known:
            self._pending.setdefault(name, (PUT, now + SETTLE))
        for name in self.known - there:
            self._pending[name] = (REMOVED, now + SETTLE)

    def due(self, now: float) -> list[tuple[str, str]]:
        """What can be told by now, as (PUT or REMOVED, name), in the order in which it happened."""
        ready = sorted(((at, name, what) for name, (what, at) in self._pending.items() if at <= now))
        for _, name, what in ready:
            del self._pending[name]
            (self.known.add if what == PUT else self.known.discard)(name)
        return [(what, name) for _, name, what in ready]

    def patience(self, now: float) -> float | None:
        """How many seconds until something is due; None when nothing waits."""
        return max(0.0, min(at for _, at in self._pending.values()) - now) if self._pending else None
