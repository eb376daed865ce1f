"""Keeps the log of a child small: of a longer one the content goes to NAME.log.1, and the log begins anew.

The child goes on writing to the file that it was given (with O_APPEND), so that is copied and emptied. A line written
between the two is lost. Naming and opening logs is process.py's.
"""

import os
import shutil
from pathlib import Path

MOST = 16 * 1024 * 1024
"""Bytes of one log; with the one before, a child has at most about twice as much."""


def open_private(path: str, flags: int) -> int:
    """An opener for `open`. A log may name people and devices: no other user of this machine reads it."""
    return os.open(path, flags, 0o600)


def bound(log: Path, most: int = MOST) -> None:
    """Begin `log` anew when it has more than `most` bytes; without room for the copy, its content is lost."""
    if not log.exists() or log.stat().st_size <= most:
        return
    older = log.with_name(f"{log.name}.1")
    try:
        with log.open("rb") as source, open(older, "wb", opener=open_private) as target:
            shutil.copyfileobj(source, target)
    except OSError:
        older.unlink(missing_ok=True)
    os.truncate(log, 0)
