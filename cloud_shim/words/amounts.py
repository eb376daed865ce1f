"""Times, sizes and counts in words, for people. Pure; reads no clock."""

from collections.abc import Mapping
from datetime import UTC, datetime

_STEPS = ((60, "second"), (3600, "minute"), (86400, "hour"), (float("inf"), "day"))


def ago(then: float | None, now: float) -> str:
    """How long ago: "just now", "3 minutes ago", "never". Both in seconds since 1970; one in the future is now."""
    if then is None:
        return "never"
    seconds = now - then
    if seconds < 5:
        return "just now"
    unit = 1
    for limit, name in _STEPS:
        if seconds < limit:
            return f"{counted(int(seconds // unit), name)} ago"
        unit = int(limit)
    raise AssertionError("unreachable: the last step has no limit")


def moment(seconds: float) -> str:
    """A time in seconds since 1970, to the minute, UTC: "2026-11-28 20:11"."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def presence(online: bool, silent: bool, seen: float | None, now: float) -> str:
    """Presence in words; `seen` and `now` are in seconds since 1970, `seen` is None for a device never heard of.

    `silent`: the broker takes the device to be connected, and yet it is quiet.
    """
    if online:
        return "online"
    if seen is None:
        return "never seen"
    return f"{'silent' if silent else 'offline'}, last seen {ago(seen, now)}"


def deaths(kinds: Mapping[str, int]) -> str:
    """The deaths of workers by cause, the most frequent first: "died 3 × SIGSEGV, 1 × memory"; "" when none died."""
    ordered = sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    told = [f"{count:,} × {kind}" for kind, count in ordered if count]
    return f"died {', '.join(told)}" if told else ""


def size(count: int) -> str:
    """`count` bytes in the unit one would say: "840 B", "12 kB", "3.4 MB", "81.3 GB" (powers of ten)."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1_000_000_000:.1f} GB"


def counted(count: int, noun: str) -> str:
    """A count with its regular noun: "1 device", "3,000 devices"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
