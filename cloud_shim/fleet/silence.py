"""When a device that the broker calls connected is silent: nothing has come from it for too long. Pure.

Its presence is a retained message. When the device and the broker die together nobody takes that back, and a broker
that returns with what it had saved goes on saying "online". A device that lives says something at least once a minute
(docs/protocol/reported.md).
"""

SILENT_AFTER = 150.0
"""Seconds without a message after which a device counts as silent: two of its reports were lost, or it is gone."""


def is_silent(online: bool, last_seen: float | None, listening: float | None, now: float) -> bool:
    """Whether a device that should be `online` is not heard; all times are in seconds since 1970.

    `listening` is since when the shim would have heard it, None when it hears nothing: silence then says nothing.
    """
    if not online or listening is None:
        return False
    return now - max(last_seen or 0.0, listening) > SILENT_AFTER
