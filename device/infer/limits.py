"""Limits for the process that checks a model, and a measure of its use.

Limits hold for the process setting them, for good, so only that short-lived process calls these.
"""

import resource
import sys
from pathlib import Path


def bound(seconds: int, written: int) -> None:
    """Bound processor time in seconds and the size of files written in bytes; no core dumps.

    The parent bounds time too; this holds even when the parent was killed.
    """
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_FSIZE, written)
    _lower(resource.RLIMIT_CORE, 0)


def bound_memory(more: int) -> None:
    """Let this process take `more` bytes of data at most; on Linux only, where its present size can be read."""
    if sys.platform == "linux":
        # Not RLIMIT_AS: onnxruntime maps many times what it uses.
        _lower(resource.RLIMIT_DATA, _status("VmData") + more)


def peak_memory() -> int:
    """The most memory resident in this process at any time, in bytes."""
    if sys.platform == "linux":
        # Not getrusage: on Linux its peak is inherited from the parent process.
        return _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (limit, limit))


def _status(field: str) -> int:
    """A size in bytes from proc_pid_status(5)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))
