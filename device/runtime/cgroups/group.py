"""One function's control group: its limits, its members, the kernel's kills in it, and its end.

The kernel defines the files and their values (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/). places.py says
where groups may be made.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from device.runtime.cgroups.places import Place

# In microseconds: the period for counting the processor share. The kernel's own default.
_PERIOD = 100_000
_LEAST_QUOTA = 1_000
# Against 100 (version 1: 1024) of the agent: the same within a group as nice 5 between processes (enter.py).
_WEIGHT, _SHARES = 33, 335
# How long the kernel may take to end a group's processes, in seconds.
_PATIENCE = 5.0
_OPTIONAL = ("memory.swap.max", "memory.memsw.limit_in_bytes", "memory.oom.group")


@dataclass(frozen=True)
class Limits:
    """The limits of all processes of a function together.

    `cpu` is in processors (0.25 is a quarter of one), or None for unlimited. `memory` is in bytes and includes the
    files in its scratch folder. `processes` counts threads.
    """

    cpu: float | None
    memory: int
    processes: int


class Group:
    """One function's group in each hierarchy with one of the controllers."""

    def __init__(self, name: str, places: Iterable[Place]) -> None:
        self.name = name
        self._places = [Place(place.version, place.path / name, place.controllers) for place in places]

    def make(self, limits: Limits) -> None:
        """The group, empty, with these limits. Raises OSError."""
        for place in self._places:
            place.path.mkdir(exist_ok=True)
            for file, text in settings(place, limits):
                # Some kernels do not count swap, or are older than 4.19.
                if file not in _OPTIONAL or (place.path / file).exists():
                    (place.path / file).write_text(text)

    def add(self, pid: int) -> None:
        """Move this process here; its later children follow. Raises OSError."""
        for place in self._places:
            (place.path / "cgroup.procs").write_text(str(pid))

    def out_of_memory(self) -> int:
        """How many processes the kernel has killed because the group met its memory limit."""
        for place in self._places:
            if "memory" in place.controllers:
                file = "memory.events.local" if place.version == 2 else "memory.oom_control"
                return _count(place.path, (file, "memory.events"), "oom_kill")
        return 0

    def held_back(self) -> float:
        """For how many seconds the group had work, and its limit on the processor kept it from working."""
        for place in self._places:
            if "cpu" in place.controllers:
                key, unit = ("throttled_usec", 1e6) if place.version == 2 else ("throttled_time", 1e9)
                return _count(place.path, ("cpu.stat",), key) / unit
        return 0.0

    def remove(self) -> bool:
        """End its remaining members and remove it; returns whether it is gone."""
        gone = [_remove(place.path) for place in self._places]
        return all(gone)


def settings(place: Place, limits: Limits) -> Iterator[tuple[str, str]]:
    """The files to write, in this order, with their texts."""
    quota = "max" if place.version == 2 else "-1"
    if limits.cpu is not None:
        quota = str(max(_LEAST_QUOTA, round(limits.cpu * _PERIOD)))
    second = place.version == 2
    if "cpu" in place.controllers:
        yield ("cpu.weight", str(_WEIGHT)) if second else ("cpu.shares", str(_SHARES))
        if second:
            yield "cpu.max", f"{quota} {_PERIOD}"
        else:
            yield "cpu.cfs_period_us", str(_PERIOD)
            yield "cpu.cfs_quota_us", quota
    if "memory" in place.controllers:
        yield "memory.max" if second else "memory.limit_in_bytes", str(limits.memory)
        # Swap would be a way around the limit, and wear the card out.
        if second:
            # All at once: a worker robbed of its helpers would wait for them in vain.
            yield "memory.oom.group", "1"
        yield ("memory.swap.max", "0") if second else ("memory.memsw.limit_in_bytes", str(limits.memory))
    if "pids" in place.controllers:
        yield "pids.max", str(limits.processes)


def members(path: Path) -> list[int]:
    """The processes of a group; empty when the group is gone."""
    try:
        return [int(line) for line in (path / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _count(path: Path, files: Iterable[str], key: str) -> int:
    for file in files:
        with contextlib.suppress(OSError):
            for line in (path / file).read_text().splitlines():
                if line.startswith(f"{key} "):
                    return int(line.split()[1])
    return 0


def _remove(path: Path) -> bool:
    until = time.monotonic() + _PATIENCE
    while path.exists():
        _end(path)
        with contextlib.suppress(OSError):
            path.rmdir()
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _end(path: Path) -> None:
    """SIGKILL to all members; at once where the kernel can (5.14), for one after the other might fork meanwhile."""
    with contextlib.suppress(OSError):
        handle = os.open(path / "cgroup.kill", os.O_WRONLY)
        with os.fdopen(handle, "w") as kill:
            kill.write("1")
        return
    for pid in members(path):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
