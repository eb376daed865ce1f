"""The grounds of a device's verdict on a failed trial, in lines for people. Pure.

The fields are explained in docs/protocol/reported.md. A device may send any of them, or none.
"""

from collections.abc import Mapping

from device.protocol.reported import Evidence

_COUNTS = ("events", "errors", "timeouts", "crashes", "memory")


def lines(evidence: Evidence) -> list[str]:
    """A line for how long it ran, one for each side of the comparison, and the last error; empty without evidence."""
    told = [] if evidence.seconds is None else [f"after {evidence.seconds:g} s of its trial"]
    told += [_side(heading, each) for heading, each in (("new", evidence.now), ("old", evidence.before)) if each]
    if evidence.last_error:
        told += ["last error:", *(f"  {line}" for line in evidence.last_error.splitlines())]
    return told


def _side(heading: str, counts: Mapping[str, int]) -> str:
    numbers = [f"{counts.get(each, 0):,} {each}" for each in _COUNTS]
    return f"{heading}: {', '.join(numbers[:-1])} ({numbers[-1]}){_runs(counts)}"


def _runs(counts: Mapping[str, int]) -> str:
    """How its models did, where it has some."""
    runs, slow = counts.get("runs", 0), counts.get("slow", 0)
    return f", {slow:,} of {runs:,} model runs over their budget" if runs else ""
