"""A process that ends together with the one that started it. Linux only; elsewhere it does nothing."""

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

    Not inherited by processes that this one makes (prctl(2), PR_SET_PDEATHSIG).
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(how), _ZERO, _ZERO, _ZERO)
    if os.getppid() != parent:
        os._exit(0)
