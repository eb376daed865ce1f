"""Whether what a device recorded has all arrived: once each, in order, without a gap. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any


def problems(records: Sequence[dict[str, Any]], until: float) -> list[str]:
    """What is wrong with these RECORDs of one device, in the order of their arrival; nothing when all is well.

    Within one boot, `seq` numbers the records of all streams without a gap; those of one stream arrive in that order.
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
        found += _numbering(boot, sorted(seqs))
    return found


def summary(records: Sequence[dict[str, Any]]) -> str:
    """How much there is, in words."""
    decisions = sum(each["kind"] == "decision" for each in records)
    boots = len({each["boot"] for each in records})
    return f"{decisions} decisions among {len(records)} records of {boots} boots, no gap, none twice"


def _numbering(boot: str, seqs: Sequence[int]) -> list[str]:
    found: list[str] = []
    for before, after in pairwise(seqs):
        if before == after:
            found.append(f"record {after} of boot {boot} came twice")
        elif after != before + 1:
            found.append(f"records {before + 1} to {after - 1} of boot {boot} are missing")
    return found
