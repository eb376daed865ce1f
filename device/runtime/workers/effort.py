"""How much processor time a worker got, by the kernel's account, and whether it excuses the worker for being late.

A worker is late for one of three reasons: it slept, or waited for a reply; it computed, and was slow; or it was ready
to run while other programs had the processor. Only the last excuses its code. Linux tells the three apart:
`/proc/PID/task/TID/schedstat` has two figures for each thread, in nanoseconds: its time running, and its time ready in
the run queue (Documentation/scheduler/sched-stats.rst). Time asleep is in neither.

`starved` is the decision, and pure; `read` is the look at the kernel.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from device.runtime.cgroups.group import Group

_PROC = Path("/proc")


@dataclass(frozen=True)
class Effort:
    """The account at one moment, in seconds.

    `threads` of a worker and its children: each one's time running, and its time ready and waiting for a processor.
    `cpu`: the time lost to the function's own limit on the processor.
    """

    threads: Mapping[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    held_back: float = 0.0


def starved(before: Effort | None, now: Effort | None, seconds: float) -> bool:
    """Whether the board delayed a worker in the `seconds` between two looks.

    It did when a thread was ready and waited for a processor for more than half of the time, while all of its threads
    together ran for less than half of it. The limit in function.toml is the function's own: the time lost to it is
    taken off. Both looks are needed: where one is None, the code is to blame.
    """
    if before is None or now is None:
        return False
    ran, waited = 0.0, 0.0
    for thread, (running, ready) in now.threads.items():
        then = before.threads.get(thread, (0.0, 0.0))
        ran += running - then[0]
        waited = max(waited, ready - then[1])
    return 2 * (waited - (now.held_back - before.held_back)) > seconds > 2 * ran


def read(pid: int, group: Group | None = None, proc: Path = _PROC) -> Effort | None:
    """The account of this process and its children; None when it has ended, or the kernel keeps none."""
    try:
        threads = dict(_threads(pid, proc))
    except (OSError, ValueError, IndexError):
        return None
    return Effort(threads, group.held_back() if group else 0.0)


def _threads(pid: int, proc: Path) -> Iterator[tuple[int, tuple[float, float]]]:
    for task in (proc / str(pid) / "task").iterdir():
        ran, waited = (task / "schedstat").read_text().split()[:2]
        yield int(task.name), (int(ran) / 1e9, int(waited) / 1e9)
        for child in _children(task):
            yield from _threads(child, proc)


def _children(task: Path) -> list[int]:
    try:
        return [int(each) for each in (task / "children").read_text().split()]
    except OSError:
        # Not every kernel has this list.
        return []
