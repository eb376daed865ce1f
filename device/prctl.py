"""prctl(2) for a process about itself; elsewhere than on Linux it does nothing.

The confinement's calls, which fail with an error, are sandbox/kernel.py's.
"""

import ctypes
import sys

LINUX = sys.platform == "linux"

_libc = ctypes.CDLL(None)
_ZERO = ctypes.c_ulong(0)


def prctl(option: int, argument: int = 0) -> int:
    """prctl(2); its answer, or -1 elsewhere. Takes unsigned longs, and insists on zeros in unused arguments."""
    if not LINUX:
        return -1
    return int(_libc.prctl(option, ctypes.c_ulong(argument), _ZERO, _ZERO, _ZERO))
