"""Confines a process that reads a stranger's bytes: it keeps the right to read them and Python's own files.

Bounds on time and memory are the caller's, for they differ. Reading begins after it.
"""

import os
import sys
from pathlib import Path

from device.errors import LamplightError


def confine(folder: Path) -> None:
    """Take from this process, for good, all but reading below `folder`, Python's files and /proc/self.

    Each mechanism counts where the kernel has it, as with workers; other systems than Linux have none. Raises
    LamplightError when one that is there cannot be used: nothing must be read then.
    """
    if sys.platform != "linux":
        return
    # Imported here: the shim and the command line come here on Windows too, where these cannot be imported.
    from device.sandbox import filter, kernel, landlock, paths

    try:
        kernel.no_new_privileges()
        if os.geteuid() == 0:
            kernel.drop_capabilities()
        if landlock.version():
            readable = [folder, Path("/proc/self"), *(real for _, real in paths.readable(folder, network=False))]
            landlock.restrict(readable, (), (), network=False)
        if kernel.has_filters():
            nothing = filter.Grants(network=False, signals=False, listening=False)
            kernel.install_filter(filter.program(kernel.machine(), nothing, os.getpid()))
    except OSError as error:
        raise LamplightError(
            "A stranger's files are read in a confined process only, and this system does not confine it",
            str(error),
            "See docs/confinement.md; `lamplight doctor` tells which mechanisms work here",
        ) from error
