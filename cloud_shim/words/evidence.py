"""What a device's verdict on a failed trial rests on, in lines for people. Pure.

What the fields mean is said in docs/protocol.md. A device may send any of them, or none.
"""

from collections.abc import Mapping
from typing import Any

from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, number, table, text

_MOST = 2**53
_COUNTS = ("events", "errors", "timeouts", "crashes", "memory")


def lines(evidence: Mapping[str, Any]) -> list[str]:
    """A line for how long it ran, one for each side of the comparison, and the last error; none for no evidence."""
    try:
        return _lines(dict(evidence))
    except ProtocolError:
        return []


def _lines(evidence: dict[str, object]) -> list[str]:
    told: list[str] = []
    if "seconds" in evidence:
        told.append(f"after {number(evidence, 'seconds', 'evidence'):g} s of its trial")
    for key, heading in (("now", "new"), ("before", "old")):
        if key in evidence:
            counts = table(evidence[key], "evidence")
            numbers = [f"{integer(counts, each, 'evidence', 0, _MOST):,} {each}" for each in _COUNTS]
            told.append(f"{heading}: {', '.join(numbers[:-1])} ({numbers[-1]}){_runs(counts)}")
    if last := text(evidence, "last_error", "evidence", ""):
        told += ["last error:", *(f"  {line}" for line in last.splitlines())]
    return told


def _runs(counts: dict[str, object]) -> str:
    """How its models did, where it has some."""
    runs, slow = (integer(counts, key, "evidence", 0, _MOST, 0) for key in ("runs", "slow"))
    return f", {slow:,} of {runs:,} model runs over their budget" if runs else ""
