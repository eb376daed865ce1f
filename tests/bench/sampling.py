"""How samples are taken: ours and the reference in turn, so that whatever else the machine does meets both.

The machines are shared and noisy. Nothing here asserts or discards anything: the spread is reported.
"""

import contextlib
import os
import time
from collections.abc import Callable, Generator

Sample = Callable[[], float]


def in_turn(ours: Sample, reference: Sample, rounds: int) -> tuple[list[float], list[float]]:
    """`rounds` samples of each: ours, reference, ours, reference, …"""
    pairs = [(ours(), reference()) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def seconds_each(action: Callable[[], object], times: int) -> float:
    """The mean time of one `action` over a batch of `times`: the clock is then read too seldom to count."""
    started = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - started) / times


@contextlib.contextmanager
def processors(pinned: bool) -> Generator[None, None, None]:
    """Keep this thread, and every thread and process begun inside, on one processor when `pinned`.

    A wake-up across two processors costs ten times a wake-up on one, and hides what the code itself costs.
    """
    before = os.sched_getaffinity(0)
    if pinned:
        os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
