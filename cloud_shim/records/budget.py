"""How much of the shim one credential may use in a minute, and whether one more message fits. Pure.

A budget fills up evenly. It holds a minute's bytes, since a device that was silent may have that much to send, and the
messages of some seconds: a device of ours waits for acknowledgements, and a flood of small ones must be seen soon.
"""

from typing import NamedTuple

_MINUTE = 60.0
_MIB = 1024 * 1024


class Rate(NamedTuple):
    """What a budget gains in a minute; it holds as many bytes, and so many messages `at_once`."""

    messages: int
    bytes: int
    at_once: int


class Budget(NamedTuple):
    """What is left at the time `at`, in seconds on any steady clock."""

    messages: float
    bytes: float
    at: float


RATES = {
    # A device sends at most about 30 batches a second (0.1 s each for three streams). All that it may keep while
    # offline, 48 MiB, fits in at once.
    "up": Rate(2_400, 64 * _MIB, 200),
    # A person's or program's calls: the shim has asked for each.
    "reply": Rate(12_000, 128 * _MIB, 1_000),
    # One for each connection, and it pauses between them.
    "presence": Rate(240, 2 * _MIB, 60),
    # A device looks once a second whether something changed.
    "reported": Rate(240, 32 * _MIB, 60),
    # An artifact's chunks are 31 of these; missing ones are asked for again after seconds.
    "want": Rate(600, 8 * _MIB, 100),
    # All boards that ask to be let in have one credential. Each asks once a minute: more than there are places in the
    # list of those that wait, and a whole workshop of cards beside them.
    "ask": Rate(1_200, 5 * _MIB, 1_200),
}
"""The budget of each kind of message. Each kind has its own: a flood of records leaves a device's reports alone."""
BOARD = Rate(20, 100_000, 20)
"""The budget of one board that asks, by its client id."""
STRAY = Rate(100, 4 * _MIB, 100)
"""The budget of messages that the broker was to keep without need, or on topics that the protocol does not know: by
mistake, say of a program other than ours."""


def full(rate: Rate, now: float) -> Budget:
    """The budget of a device that has sent nothing yet."""
    return Budget(rate.at_once, rate.bytes, now)


def at(budget: Budget, rate: Rate, now: float) -> Budget:
    """The budget as it has filled up until `now`."""
    share = max(0.0, now - budget.at) / _MINUTE
    messages = min(rate.at_once, budget.messages + rate.messages * share)
    return Budget(messages, min(rate.bytes, budget.bytes + rate.bytes * share), now)


def overdraft(rate: Rate) -> Rate:
    """What may come beyond the budget before it is a flood. A device of ours stops for seconds when it gets no
    acknowledgement: it comes nowhere near.
    """
    return Rate(rate.messages // 10, rate.bytes // 4, max(1, rate.at_once // 4))


def spent(budget: Budget, size: int) -> Budget | None:
    """What a message of `size` bytes leaves of the budget; None when it does not fit in."""
    left = Budget(budget.messages - 1, budget.bytes - size, budget.at)
    return left if left.messages >= 0 and left.bytes >= 0 else None
