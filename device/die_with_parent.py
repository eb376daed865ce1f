"""A process ends together with its parent. Linux only; elsewhere this does nothing."""

import ctypes
import os
import signal
import sys

# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)
_ZERO = ctypes.c_ulong(0)


def die_with_parent(parent: int, how: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send `how` when the thread that made this process ends; leave at once when `parent` is gone
    already.

    The processes this one makes do not inherit it (prctl(2), PR_SET_PDEATHSIG).
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(how), _ZERO, _ZERO, _ZERO)
    if os.getppid() != parent:
        os._exit(0)
