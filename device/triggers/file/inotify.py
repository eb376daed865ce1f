"""A folder's events, from Linux' inotify(7), through libc: the standard library lacks it.

It passes on the kernel's notices; changes.py gives them their meaning.
"""

import ctypes
import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from device.errors import LamplightError

# <sys/inotify.h>
CLOSE_WRITE = 0x8
MOVED_FROM = 0x40
MOVED_TO = 0x80
DELETE = 0x200
GONE = 0x400 | 0x800 | 0x2000 | 0x8000  # the folder itself: deleted, moved, unmounted, no longer watched
OVERFLOW = 0x4000
IS_FOLDER = 0x40000000
_ONLY_FOLDERS = 0x01000000
_WATCHED = CLOSE_WRITE | MOVED_FROM | MOVED_TO | DELETE | 0x400 | 0x800
_HEAD = struct.Struct("iIII")
_ROOM = 64 * 1024


@dataclass(frozen=True)
class Notice:
    """`mask` has the bits above; `cookie` is the same for both halves of a renaming; `name` is a file's."""

    mask: int
    cookie: int
    name: str


class Inotify:
    """Watches one folder. Raises LamplightError when the kernel refuses."""

    def __init__(self, folder: Path) -> None:
        if sys.platform != "linux":
            raise LamplightError(f"{folder} cannot be watched", "folders are watched on Linux only")
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if self._fd < 0 or libc.inotify_add_watch(self._fd, os.fsencode(folder), _WATCHED | _ONLY_FOLDERS) < 0:
            why = os.strerror(ctypes.get_errno())
            self.close()
            raise LamplightError(f"{folder} cannot be watched", why, "look at the path and who may read it")
        try:
            self._watched = folder.stat()
        except OSError as error:
            self.close()
            raise LamplightError(f"{folder} cannot be watched", str(error), "look at the path") from None

    def fileno(self) -> int:
        """Readable when there is something to read."""
        return self._fd

    def holds(self, folder: Path) -> bool:
        """Whether the folder at this path is the watched one."""
        try:
            return os.path.samestat(self._watched, folder.stat())
        except OSError:
            return False

    def read(self) -> list[Notice]:
        """The events since the last read; empty when there were none."""
        try:
            return _notices(os.read(self._fd, _ROOM))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """End the watch."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _notices(data: bytes) -> list[Notice]:
    found: list[Notice] = []
    at = 0
    while at < len(data):
        _, mask, cookie, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        # Names beyond UTF-8 are replaced: they stay tellable, and fit JSON.
        name = data[at : at + length].split(b"\0", 1)[0].decode(errors="replace")
        found.append(Notice(mask, cookie, name))
        at += length
    return found
