"""Keeps this process's memory from others of the same user. Linux only; elsewhere it does nothing.

A function's worker may run as the agent's own user. Where neither Landlock nor a root of its own is there, /proc would
let it write the agent's memory. Programs that the process starts begin anew, and call it themselves.
"""

import ctypes
import sys

# <linux/prctl.h>
_PR_SET_DUMPABLE = 4

_libc = ctypes.CDLL(None)
_ZERO = ctypes.c_ulong(0)


def keep_memory_private(private: bool = True) -> None:
    """Give the files of this process in /proc to root, so that its own user may not open its memory.

    Children made by fork inherit it (prctl(2), PR_SET_DUMPABLE). With False, take that back.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(not private), _ZERO, _ZERO, _ZERO)
