"""How often something may happen: a token bucket. Pure, and for one thread at a time."""


class Allowance:
    """`rate` a second, `burst` at once.

    >>> two_at_once = Allowance(rate=1, burst=2, now=0)
    >>> two_at_once.take(5, now=0), two_at_once.take(1, now=0.5), two_at_once.take(1, now=1)
    (2, 0, 1)
    """

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = float(burst)
        self._then = now

    def take(self, wanted: int, now: float) -> int:
        """How many of `wanted` are allowed at `now`."""
        self._left = min(self._burst, self._left + (now - self._then) * self._rate)
        self._then = now
        granted = min(wanted, int(self._left))
        self._left -= granted
        return granted
