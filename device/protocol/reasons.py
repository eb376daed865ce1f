"""The beginnings of reasons, from which a deploying program can tell its next step. The rest of a reason is for people.

A device says why an update was REJECTED or REVERTED in one text; agents of every release begin it like this.
"""

SAME_FAILED = "the same content failed as generation "
TOO_BUSY = "the board was too busy to try "


def failed_before(reason: str) -> bool:
    """Whether the content failed its trial on the device before: it takes another attempt to have it tried again."""
    return reason.startswith(SAME_FAILED)


def too_busy(reason: str) -> bool:
    """Whether the board had no processor time for it: it may be asked for again as if it had never been tried."""
    return reason.startswith(TOO_BUSY)
