"""The next thing to do for a believed deployment. Pure: slots and the trees on disk in, a plan out.

A newer deployment replaces any other in progress or in trial, so a stuck one is soon out of the way.
"""

from collections.abc import Collection
from dataclasses import dataclass

from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.reasons import SAME_FAILED
from device.update.slots import Slots, fingerprint


@dataclass(frozen=True)
class Nothing:
    """It is installed, or was tried and reverted, already."""


@dataclass(frozen=True)
class Reject:
    """Refuse it, for this reason."""

    reason: str


@dataclass(frozen=True)
class Install:
    """Get the missing artifacts, then install it."""

    missing: tuple[ArtifactRef, ...]


Plan = Nothing | Reject | Install


def plan(slots: Slots, desired: Deployment, trees: Collection[str]) -> Plan:
    """The next step towards `desired`, when the artifacts in `trees` are on disk."""
    content = fingerprint(desired)
    missing = tuple(ref for ref in desired.parts() if ref.digest not in trees)
    for slot in (slots.trial, slots.active):
        if slot is not None and slot.generation == desired.generation:
            if fingerprint(slot) == content:
                # Damaged trees are brought again.
                return Install(missing) if missing and slots.trial is None else Nothing()
            return Reject(f"generation {desired.generation} was deployed before, with other content")
    if desired.generation < slots.floor:
        return Reject(f"generation {desired.generation} is older than generation {slots.floor}, which came before")
    failure = slots.failed.get(content)
    if failure is None or desired.attempt > failure.attempt or _excused(slots, content, desired):
        return Install(missing)
    if failure.generation == desired.generation:
        return Nothing()
    return Reject(
        f"{SAME_FAILED}{failure.generation}: {failure.reason}. "
        "If the cause lay outside of it, `lamplight deploy --retry` has it tried once more"
    )


def _excused(slots: Slots, content: str, desired: Deployment) -> bool:
    """Whether the board was only too busy to try it, and somebody asks for it anew."""
    return content in slots.excused and slots.failed[content].generation != desired.generation
