"""How full the board's disk is, for REPORTED: its free space, and the size of the state folder."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from device.protocol.reported import Disk

# Seconds between two looks: walking the folder wears nothing out, but it is not free on a small board.
PERIOD = 60.0


class Usage:
    """The disk of the folder `state`, looked at once a PERIOD."""

    def __init__(self, state: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._due = clock()
        self._told = Disk(0, 0)

    def told(self) -> Disk:
        """Bytes `free` on the disk and bytes `used` by the files below the folder."""
        if self._clock() >= self._due:
            self._due = self._clock() + PERIOD
            self._told = Disk(free=shutil.disk_usage(self._state).free, used=_used(self._state))
        return self._told


def _used(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*"))


def _size(path: Path) -> int:
    """A file counts as 0 bytes when it is removed meanwhile."""
    try:
        return path.lstat().st_size if path.is_file() else 0
    except OSError:
        return 0
