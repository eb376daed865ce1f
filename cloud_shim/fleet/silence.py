"""Decides when a connected device is silent: nothing has come from it for too long. Pure.

Its presence is a retained message. When the device and the broker die together, this message stays: a broker back with
its saved messages goes on saying "online". A live device says something at least once a minute
(docs/protocol/reported.md).
"""

SILENT_AFTER = 150.0
"""Seconds of quiet after which a device counts as silent: two of its reports were lost, or it is gone."""


def is_silent(online: bool, last_seen: float | None, listening: float | None, now: float) -> bool:
    """Whether a device with `online` set is silent; all times are in seconds since 1970.

    `listening` is since when the shim could hear it, None while the shim is deaf: the device's silence then proves
    nothing. A time to come was noted while the shim's clock ran ahead, and proves nothing either: such a device counts
    as silent until its next word.
    """
    if not online or listening is None:
        return False
    heard = max(each for each in (0.0, last_seen or 0.0, listening) if each <= now + SILENT_AFTER)
    return now - heard > SILENT_AFTER
