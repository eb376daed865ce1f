"""The limits of a worker as a process: resource limits, a session of its own, a ban on gaining privileges.

The rest of this folder takes away network, file system, user and system calls. All Linux-only mechanisms are in
this folder; elsewhere a worker runs with the remaining limits.
"""

import ctypes
import os
import resource
import sys
from pathlib import Path

from device.prctl import LINUX, prctl

OPEN_FILES = 256
# Of one file, in bytes, at most.
FILE_SIZE = 64 * 1024 * 1024
# Of a worker, in bytes, beside its memory: 16 MiB of page tables at most.
ADDRESS_SPACE = 8 * 1024**3
# <linux/prctl.h>
_PR_GET_PDEATHSIG = 2
_PR_SET_NO_NEW_PRIVS = 38
_PR_GET_NO_NEW_PRIVS = 39


def apart() -> None:
    """Start a session and process group, so that the function's own children can be ended together with it."""
    os.setsid()


def limit(file_size: int) -> None:
    """Set every limit but memory's.

    It turns core files off, allows few open files, bounds a file by `file_size` and FILE_SIZE bytes, and prevents a
    gain of privileges.
    """
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, min(file_size, FILE_SIZE)),
    ):
        _lower(what, most)
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def limit_memory(quota: int) -> None:
    """Allow `quota` bytes of private memory over the process's present size; beyond it allocation fails (MemoryError).

    RLIMIT_DATA counts private writable memory (setrlimit(2), since Linux 4.7) and leaves out memory shared between
    processes. RLIMIT_AS counts address space, which inference libraries reserve and leave unused: it is wide. It bounds
    the kernel's page tables, which no other limit counts: a 512th of the address space.
    """
    if LINUX:
        status = Path("/proc/self/status").read_text()
        _lower(resource.RLIMIT_DATA, size_of("VmData", status) + quota)
        if sys.maxsize > ADDRESS_SPACE:
            _lower(resource.RLIMIT_AS, size_of("VmSize", status) + quota + ADDRESS_SPACE)


def size_of(what: str, status: str) -> int:
    """A size of a process in bytes, from the text of its /proc/…/status: VmData is its private data, VmSize all."""
    for line in status.splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    return 0


def _lower(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def no_new_privileges() -> bool:
    """Whether this machine can keep a process from gaining privileges."""
    return prctl(_PR_GET_NO_NEW_PRIVS) >= 0


def limits() -> dict[str, str]:
    """This machine's share of this file's limits, aspect by aspect; "none" for a missing one."""
    found = ctypes.c_int()
    return {
        "process": "own process",
        "memory": "rlimit for each process" if LINUX else "none",
        "time": "deadline for each event",
        "files": "rlimit",
        "orphans": "pdeathsig" if prctl(_PR_GET_PDEATHSIG, ctypes.addressof(found)) >= 0 else "none",
    }
