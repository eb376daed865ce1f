"""The doctor's results as lines of text, fit for a board without a library for terminals."""

from collections import Counter
from collections.abc import Sequence

from device.doctor.check import STATUSES, Result

_WORDS = {"ok": "ok", "warn": "to look at", "fail": "failed", "skip": "left out"}


def lines(result: Result, width: int) -> list[str]:
    """One result: the finding, and below it the remedy. `width` is the longest name's."""
    first = f"{result.status:<4}  {result.name:<{width}}  {printable(result.found)}"
    return [first, f"{'':<{6 + width}}  try: {printable(result.remedy)}"] if result.remedy else [first]


def summary(results: Sequence[Result]) -> str:
    """How many of each: "20 checks: 18 ok, 1 to look at, 1 failed"."""
    counts = Counter(each.status for each in results)
    told = ", ".join(f"{counts[status]} {_WORDS[status]}" for status in STATUSES if counts[status])
    return f"{len(results)} checks: {told}"


def width(results: Sequence[Result]) -> int:
    """The length of the longest name."""
    return max((len(each.name) for each in results), default=0)


def printable(text: str) -> str:
    """The text free of control characters: a file's or a broker's words must not drive a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text.replace("\n", "; "))
