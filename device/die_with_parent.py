"""A process ends together with its parent. Linux only; elsewhere this does nothing."""

import os
import signal

from device.prctl import prctl

# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, how: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send `how` when the thread that made this process ends; leave at once when `parent` is gone
    already.

    The processes this one makes do not inherit it (prctl(2), PR_SET_PDEATHSIG).
    """
    prctl(_PR_SET_PDEATHSIG, how)
    if os.getppid() != parent:
        os._exit(0)
