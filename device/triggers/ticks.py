"""Times of periodic work. Pure.

Ticks are multiples of the period since `start`: they keep in step and never pile up.
"""

import math


def ticks(start: float, period: float, now: float) -> int:
    """The number of ticks of `period` seconds since `start`; the one at `start` itself is left out."""
    # The clock's resolution must not turn "exactly at the tick" into "just before it".
    return math.floor((now - start) / period + 1e-6)


def due(start: float, period: float, tick: int) -> float:
    """When tick number `tick` is due, in seconds of the same clock."""
    return start + tick * period
