"""Functions that start each other over topics, in a circle: seen from the trail of a message. Pure.

A trail names the functions that led to a message, as "device/function", the publishing one last; "" stands for one
that said nothing of itself: an older agent's, or one that passed a result on. Each message counts them, and after
MAX_HOPS it is not sent. Every function of the circle tells it in its own log, at its own last turn: chains.py refuses
the circles that are known before.
"""

from collections.abc import Sequence

from device.protocol.cloudevents import MAX_HOPS


def ended(trail: Sequence[str]) -> bool:
    """Whether a message with this trail is not sent."""
    return len(trail) > MAX_HOPS


def notice(trail: Sequence[str]) -> str:
    """The text for the log of the publishing function at its last turn in a circle; "" otherwise."""
    circle = ring(trail)
    # The message after the last one is made, too, and tells it: only later turns are never had.
    last_turn = bool(circle) and len(trail) + len(circle) - 1 > MAX_HOPS + 1
    if not ended(trail) and not last_turn:
        return ""
    told = f"{' → '.join(circle)} start each other" if circle else f"{MAX_HOPS} functions in a row led to its message"
    return (
        f"{told} without end: stopped after {MAX_HOPS} messages. Have one of them listen to another topic, or publish "
        "on a change only"
    )


def ring(trail: Sequence[str]) -> list[str]:
    """The way from the publishing function's turn before to this one; empty at its first."""
    own = trail[-1]
    before = [place for place, name in enumerate(trail[:-1]) if name == own]
    return [name or "an unnamed one" for name in trail[before[-1] :]] if before else []
