"""The board's clock: does it run at all, is it behind a time proved to be past, does it agree with another."""

import json
from datetime import UTC, datetime
from pathlib import Path

from device.doctor.check import Finding, fail, ok, skip, warn
from device.trust.verify import TIME

# No board with this code can live before this: 2026-01-01.
_EARLIEST = 1_767_225_600.0
# Differences in seconds: a harmless one, and one that makes records and expiry useless.
_CLOSE, _FAR = 60.0, 86_400.0
_SET_IT = (
    "Give the board a network with NTP (`timedatectl set-ntp true`), or a clock with a battery. "
    "What runs goes on meanwhile; records carry wrong times"
)


def judge_set(now: float) -> Finding:
    """Whether a clock saying `now`, in seconds since 1970, was ever set."""
    if now < _EARLIEST:
        return fail(f"it says {when(now)}: it was never set", _SET_IT)
    return ok(when(now))


def judge_floor(now: float, floor: float, synchronised: bool = False) -> Finding:
    """Whether the clock stands behind the time floor: a time proved by signatures to be past.

    A `synchronised` clock knows better than signatures.
    """
    if not floor:
        return skip("no deployment was believed yet, so no time is known to be past")
    if synchronised and floor - now > _FAR:
        told = f"a time server has set the clock, and signatures said {when(floor)}: the shim's clock was ahead"
        return warn(told, "Deploy again: the next deployment takes that time back")
    if now < floor:
        return fail(f"it is {duration(floor - now)} behind {when(floor)}, which is known to have passed", _SET_IT)
    return ok(f"after {when(floor)}, which is known to have passed")


def judge_agreement(now: float, reference: float | None) -> Finding:
    """Whether the clock agrees with another clock's `reference`; None when there was none to ask."""
    if reference is None:
        return skip("nobody to compare with", "`lamplight doctor DEVICE` compares it with the shim's clock")
    apart = now - reference
    told = f"{duration(abs(apart))} {'ahead of' if apart > 0 else 'behind'} the shim's clock"
    if abs(apart) > _FAR:
        return fail(told, _SET_IT)
    return warn(told, _SET_IT) if abs(apart) > _CLOSE else ok(told)


def time_floor(trusted: Path) -> float:
    """The time floor in the file of trusted metadata, in seconds since 1970; 0.0 when the file is missing."""
    try:
        return float(json.loads(json.loads(trusted.read_bytes())[TIME]))
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def when(moment: float) -> str:
    """A moment in words."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """A length of time in its largest unit: "3 days", "20 s"."""
    for name, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"
