"""The time floor: a time known to have passed, which expiry is judged by when the clock stands before it. Pure.

The floor keeps old signatures expired on a board that wakes in 1970, or whose clock is set back. A signed time was said
by somebody else's clock, and that clock may be wrong. So two rules bound what a signed time does:

- `risen` bounds how far it lifts the floor: to a day past the board's own synchronised clock. A board without one knows
  no time but the signed ones. There only the ends of the offline signatures bound it, and the second rule heals it.
- `goes_back` lets a later document take the floor back. Versions only grow, so a signature with a higher version and an
  earlier time shows that its own signer's clock was ahead before.

Why this revives nothing that has expired: the floor of a believed document lies before the end of each of its
signatures. A signer whose clock was right signs each higher version with a later end, so a document played again, or
one kept back and played late, is either not newer than the trusted one, or not expired by the floor. It takes the key
of a role to make a newer version of it, and who holds that key can sign with today's date as well. The offline keys
are held to this one by one, so both online keys together revive no release and no root.
"""

from collections.abc import Iterable
from typing import NamedTuple

DAY = 86_400.0


class Clock(NamedTuple):
    """The board's clock: seconds since 1970, and whether something set it (NTP) since the board started."""

    now: float
    synchronised: bool


class Known(NamedTuple):
    """What the board knows of the time, in seconds since 1970; zeros before it has believed a document.

    `floor` is the time floor. `proved` is the part of it that the board's own synchronised clock has shown.
    """

    floor: float = 0.0
    proved: float = 0.0


class Role(NamedTuple):
    """One role of a document: its version, the version trusted before (0: none), and its end in seconds since 1970."""

    version: int
    trusted: int
    end: float


def present(clock: Clock, known: Known) -> float:
    """The time to judge expiry by: the clock, unless it stands before the time floor."""
    return max(clock.now, known.floor)


def without_the_signers(clock: Clock, known: Known) -> float:
    """The time by the board's own clock alone, to judge a document by that may take the floor back.

    A synchronised clock speaks for itself. Another one may have fallen back to 1970 since it was synchronised.
    """
    return clock.now if clock.synchronised else max(clock.now, known.proved)


def goes_back(floor: float, roles: Iterable[Role]) -> bool:
    """Whether a document, verified in all but expiry, shows that `floor` is too far ahead.

    Each of its roles must be newer than the one trusted before, or not expired by the floor.
    """
    return all(role.version > role.trusted or role.end > floor for role in roles)


def risen(
    clock: Clock, known: Known, judged_by: float, issued: Iterable[float], offline_ends: Iterable[float]
) -> Known:
    """What is known once a document was believed: the time it was judged by has passed, and, within bounds, the time
    at which all its signers say they made it.

    The judging time was below every signature's end: a clock far ahead has the document refused before it gets here. It
    takes the keys of all signers to push the floor up. The ends of the offline signatures bound it, so a new one of
    those always gets a board out again; and so does a synchronised clock.
    """
    told = min(*issued, *offline_ends)
    if clock.synchronised:
        told = min(told, clock.now + DAY)
    shown = max(min(known.proved, judged_by), clock.now if clock.synchronised else 0.0)
    return Known(max(judged_by, told), shown)
