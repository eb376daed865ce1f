"""Whether the board's clock was set by a time server since the board started. Asks the kernel and systemd.

The kernel calls a clock unsynchronised some hours after the last word of a time server; a file of systemd-timesyncd
stays until the board restarts. A clock with a battery, set by hand, counts as not synchronised: its time may be any.
"""

import ctypes
from pathlib import Path

# systemd-timesyncd makes it at the first answer of a time server, in a folder emptied by a restart.
_TIMESYNCD = Path("run/systemd/timesync/synchronized")
# adjtimex(2): the state of a clock without a time server, and room for its struct on every architecture. Zeros in it
# ask, and change nothing.
_TIME_ERROR, _ROOM = 5, 512


def synchronised(root: Path = Path("/")) -> bool:
    """Whether it was; False when nobody can tell."""
    return (root / _TIMESYNCD).exists() or 0 <= _state() < _TIME_ERROR


def _state() -> int:
    """The kernel's word on its clock; -1 when there is none, as on a Mac."""
    try:
        asked: int = ctypes.CDLL(None).adjtimex((ctypes.c_char * _ROOM)())
    except (AttributeError, OSError):
        return -1
    return asked
