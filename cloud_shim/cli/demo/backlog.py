"""Whether all records of a device have arrived: once each, in order, without a gap. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any


def problems(records: Sequence[dict[str, Any]], until: float) -> list[str]:
    """The faults of these RECORDs of one device, in the order of their arrival; [] when all is well.

    Within one boot, `seq` numbers the records of all streams without a gap, and each stream's records arrive in the
    order of `seq`. The id of a function's event ends in a number of the function's own.
    The newest must be from after `until`, in seconds since 1970.
    """
    found: list[str] = []
    if not any(each["time"] > until for each in records):
        found.append("nothing newer has arrived")
    boots: defaultdict[str, list[int]] = defaultdict(list)
    last: dict[tuple[str, str], int] = {}
    for each in records:
        boot, stream, seq = each["boot"], each["stream"], each["seq"]
        boots[boot].append(seq)
        if seq < last.get((boot, stream), seq):
            found.append(f"{stream} {seq} of boot {boot} came after {last[boot, stream]}")
        last[boot, stream] = seq
    for boot, seqs in boots.items():
        found += _numbering(f"boot {boot}: record", sorted(seqs))
    for (boot, function), numbers in _events(records).items():
        found += _numbering(f"boot {boot}: event {function}", sorted(numbers))
    return found


def summary(records: Sequence[dict[str, Any]]) -> str:
    """How much there is, in words."""
    decisions = sum(each["kind"] == "decision" for each in records)
    boots = len({each["boot"] for each in records})
    return f"{decisions} decisions among {len(records)} records of {boots} boots, no gap, none twice"


def _events(records: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[int]]:
    """The numbers in the ids of the decided events, by boot and function."""
    numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for each in records:
        if each["kind"] == "decision":
            numbers[each["boot"], each["function"]].append(int(each["event"].rpartition("-")[2]))
    return numbers


def _numbering(what: str, numbers: Sequence[int]) -> list[str]:
    found: list[str] = []
    for before, after in pairwise(numbers):
        if before == after:
            found.append(f"{what} {after} came twice")
        elif after != before + 1:
            found.append(f"{what} {before + 1} to {after - 1} missing")
    return found
