"""When a failed function may run again: at once at first, then after exponential backoff with full jitter.

Pure: the caller brings the clock and the random numbers. Full jitter (a delay drawn evenly from zero to the ceiling)
makes functions that fell together rise apart.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Backoff:
    """How often a function failed in a row, and the resulting delay.

    `first` is the ceiling of the delay after the second failure (the first has zero delay), `longest` that after many.
    A worker's end counts as the first failure again when it ran for at least `healthy`. All are in seconds.
    """

    first: float = 0.5
    longest: float = 60.0
    healthy: float = 30.0
    failures: int = 0

    def failed(self, ran: float) -> "Backoff":
        """The backoff after one more failure, of a worker that ran for `ran` seconds."""
        return replace(self, failures=1 if ran >= self.healthy else self.failures + 1)

    def reset(self) -> "Backoff":
        """As new: for a replaced function."""
        return replace(self, failures=0)

    def ceiling(self) -> float:
        """The longest delay before the next start, in seconds; zero after a single failure."""
        if self.failures < 2:
            return 0.0
        # The exponent is bounded so that a function failing for months does not overflow a float.
        return min(self.longest, self.first * 2 ** min(self.failures - 2, 30))

    def delay(self, draw: float) -> float:
        """The delay before the next start, in seconds, for `draw` from [0, 1)."""
        return self.ceiling() * draw
