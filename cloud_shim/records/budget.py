"""How much of the shim one device may use in a minute, and whether one more message fits. Pure.

A budget fills up evenly, and holds a minute's worth at most: a device that was silent may send that much at once.
"""

from typing import NamedTuple

_MINUTE = 60.0
_MIB = 1024 * 1024


class Rate(NamedTuple):
    """What a budget gains in a minute, and can hold."""

    messages: int
    bytes: int


class Budget(NamedTuple):
    """What is left at the time `at`, in seconds on any steady clock."""

    messages: float
    bytes: float
    at: float


RATES = {
    # A device sends at most about 30 batches a second (0.1 s each for three streams). All that it may keep while
    # offline, 48 MiB, fits in at once.
    "up": Rate(6_000, 64 * _MIB),
    # A person's or program's calls: the shim has asked for each.
    "reply": Rate(30_000, 256 * _MIB),
    "presence": Rate(600, 2 * _MIB),
    "reported": Rate(600, 32 * _MIB),
    "want": Rate(3_000, 16 * _MIB),
}
"""The budget of each kind of message. Each kind has its own: a flood of records leaves a device's reports alone."""


def full(rate: Rate, now: float) -> Budget:
    """The budget of a device that has sent nothing yet."""
    return Budget(rate.messages, rate.bytes, now)


def at(budget: Budget, rate: Rate, now: float) -> Budget:
    """The budget as it has filled up until `now`."""
    share = max(0.0, now - budget.at) / _MINUTE
    messages = min(rate.messages, budget.messages + rate.messages * share)
    return Budget(messages, min(rate.bytes, budget.bytes + rate.bytes * share), now)


def spent(budget: Budget, size: int) -> Budget | None:
    """What a message of `size` bytes leaves of the budget; None when it does not fit in."""
    left = Budget(budget.messages - 1, budget.bytes - size, budget.at)
    return left if left.messages >= 0 and left.bytes >= 0 else None
