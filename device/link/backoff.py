"""How long to wait between two connections. Pure, but for the dice.

A connection that never stood is tried again soon. One that ends at once, time after time, is being taken over: the
broker keeps the newer of two connections with one identity, and says no reason. Each side then pauses for longer and
longer, so that one of them holds it; and a board told that it is not the device pauses for longest.
"""

import random
from typing import NamedTuple

# Seconds: of a connection too short to be worth anything, and the longest pauses.
SHORT = 20.0
CAP, SHORT_CAP, DISPLACED_CAP = 30.0, 600.0, 3600.0
# The first of growing pauses after a displacement: longer than it takes the shim to call a board silent, over two.
_DISPLACED = 60.0
_BASE = 0.25
# So many short connections in a row are no accident.
SUSPICIOUS = 6


class Tries(NamedTuple):
    """What came before, in a row: attempts that never stood, connections that ended at once, displacements."""

    failed: int
    short: int
    displaced: int


class Attempt(NamedTuple):
    """One attempt: whether the broker accepted it, for how many seconds it lasted, and whether it was displaced."""

    accepted: bool
    lasted: float
    displaced: bool


NONE = Tries(0, 0, 0)


def after(tries: Tries, attempt: Attempt) -> Tries:
    """The count after one more attempt. Only a connection that lasted begins it anew."""
    if attempt.displaced:
        return Tries(0, 0, tries.displaced + 1)
    if not attempt.accepted:
        return tries._replace(failed=tries.failed + 1)
    if attempt.lasted < SHORT:
        return Tries(0, tries.short + 1, tries.displaced)
    return NONE


def pause(tries: Tries, chance: float | None = None) -> float:
    """Seconds before the next attempt; `chance` between 0 and 1 takes the place of the dice.

    With full jitter, to keep many clients from coming back in step
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    drawn = random.random() if chance is None else chance
    if tries.displaced and not tries.failed and not tries.short:
        # Never at once: each attempt ends the right board's connection.
        return (0.5 + drawn / 2) * min(DISPLACED_CAP, _DISPLACED * 2 ** min(tries.displaced - 1, 10))
    longest = max(
        min(CAP, _BASE * 2 ** min(tries.failed, 10)),
        # The first two pass for a broker that restarts.
        min(SHORT_CAP, _BASE * 2 ** min(tries.short, 20)),
    )
    return drawn * longest
