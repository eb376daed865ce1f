"""How much processor time a worker got, by the kernel's account, and whether it excuses the worker for being late.

A worker is late for one of three reasons: it slept, or waited for a reply; it computed, and was slow; or it was ready
to run while other programs had the processor. Only the last excuses its code. Linux tells the three apart:
`/proc/PID/task/TID/schedstat` has two figures for each thread, in nanoseconds: its time running, and its time ready in
the run queue (Documentation/scheduler/sched-stats.rst). Time asleep is in neither. The kernel adds the time in the
queue when the thread leaves it: the last wait of a thread that never got its turn is in no figure yet.

`starved` is the decision, and pure; `read` is the look at the kernel.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from device.runtime.cgroups.group import Group

_PROC = Path("/proc")


@dataclass(frozen=True)
class Thread:
    """The account of one thread since its start: its time running, and ready in the queue, in seconds.

    `sleeps` counts how often it gave the processor up by itself; `ready`: it runs or wants to, at this moment.
    """

    ran: float = 0.0
    waited: float = 0.0
    sleeps: int = 0
    ready: bool = False


@dataclass(frozen=True)
class Effort:
    """The account at one moment: the `threads` of a worker and its children, by their numbers.

    `held_back`: the seconds lost to the function's own limit on the processor.
    """

    threads: Mapping[int, Thread] = field(default_factory=dict[int, Thread])
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
    for number, thread in now.threads.items():
        then = before.threads.get(number, Thread())
        ran += thread.ran - then.ran
        waited = max(waited, _waited(then, thread, seconds))
    return 2 * (waited - (now.held_back - before.held_back)) > seconds > 2 * ran


def _waited(then: Thread, now: Thread, seconds: float) -> float:
    """How long the thread waited in the queue between two looks, with its present wait."""
    if now.ready and now.sleeps == then.sleeps:
        # It never slept meanwhile: when it did not run, it waited.
        return seconds - (now.ran - then.ran)
    return now.waited - then.waited


def read(pid: int, group: Group | None = None, proc: Path = _PROC) -> Effort | None:
    """The account of this process and its children; None when it has ended, or the kernel keeps none."""
    try:
        threads = dict(_threads(pid, proc))
    except (OSError, ValueError, LookupError):
        return None
    return Effort(threads, group.held_back() if group else 0.0)


def _threads(pid: int, proc: Path) -> Iterator[tuple[int, Thread]]:
    for task in (proc / str(pid) / "task").iterdir():
        ran, waited = (task / "schedstat").read_text().split()[:2]
        status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
        sleeps, ready = int(status["voluntary_ctxt_switches"]), status["State"].split()[0] == "R"
        yield int(task.name), Thread(int(ran) / 1e9, int(waited) / 1e9, sleeps, ready)
        for child in _children(task):
            yield from _threads(child, proc)


def _children(task: Path) -> list[int]:
    try:
        return [int(each) for each in (task / "children").read_text().split()]
    except OSError:
        # Not every kernel has this list.
        return []
