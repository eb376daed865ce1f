"""When something periodic is due. Pure.

Ticks are multiples of the period since `start`, so they neither drift nor pile up.
"""

import math


def ticks(start: float, period: float, now: float) -> int:
    """How many ticks of `period` seconds have passed since `start`, the one at `start` itself not counted."""
    # The clock's resolution must not turn "exactly at the tick" into "just before it".
    return math.floor((now - start) / period + 1e-6)


def due(start: float, period: float, tick: int) -> float:
    """When tick number `tick` is due, in seconds of the same clock."""
    return start + tick * period
