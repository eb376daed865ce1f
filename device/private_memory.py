"""Keeps this process's memory from others of the same user. Linux only; elsewhere it does nothing.

A function's worker may run as the agent's own user. Where neither Landlock nor a root of its own is there, /proc would
let it write the agent's memory. Programs that the process starts begin anew, and call it themselves.
"""

from device.prctl import prctl

# <linux/prctl.h>
_PR_SET_DUMPABLE = 4


def keep_memory_private(private: bool = True) -> None:
    """Give the files of this process in /proc to root, so that its own user may not open its memory.

    Children made by fork inherit it (prctl(2), PR_SET_DUMPABLE). With False, take that back.
    """
    prctl(_PR_SET_DUMPABLE, int(not private))
