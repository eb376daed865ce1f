"""Times and sizes in words, for people. Pure; reads no clock."""

_STEPS = ((60, "second"), (3600, "minute"), (86400, "hour"), (float("inf"), "day"))


def ago(seconds: float) -> str:
    """How long ago something was that lies `seconds` back: "just now", "3 minutes ago"."""
    if seconds < 5:
        return "just now"
    unit = 1
    for limit, name in _STEPS:
        if seconds < limit:
            return f"{_counted(int(seconds // unit), name)} ago"
        unit = int(limit)
    raise AssertionError("unreachable: the last step has no limit")


def last_seen(online: bool, seen: float | None, now: float) -> str:
    """Presence in words; `seen` and `now` are in seconds since 1970, `seen` is None for a device never heard of."""
    if online:
        return "online"
    if seen is None:
        return "never seen"
    return f"offline, last seen {ago(max(0.0, now - seen))}"


def size(count: int) -> str:
    """`count` bytes in the unit one would say: "840 B", "12 kB", "3.4 MB", "81.3 GB" (powers of ten)."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1_000_000_000:.1f} GB"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
