"""The installed generations: the active one, the previous one, the one in trial, and the failures.

`Slots` is a value; each transition is pure and gives a new one. `load` and `save` keep it as one small file, replaced
as a whole: a kill leaves the state before a transition or after it. The deployments themselves are in it: a boot needs
nothing else, and no network.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from device import durable
from device.protocol import deployment
from device.protocol.deployment import Deployment
from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, items, sha256, table, text
from device.trust import rules
from device.trust.rules import NOBODY, Signer
from device.update.trial import baseline
from device.update.trial.baseline import BUSY, Baseline

FORMAT = 1
# How often a generation in trial may be started; the agent dying with it uses one up.
STARTS = 3
# Failures remembered; the oldest is forgotten.
MAX_FAILED = 32
# So many failures keep their evidence.
MAX_EVIDENCE = 4


class Failure(NamedTuple):
    """A trial that was reverted; `attempt` is the deployment's, `evidence` the grounds of the verdict."""

    generation: int
    reason: str
    attempt: int = 0
    evidence: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class Slots:
    """The installed generations.

    `excused` are those of `failed` with blameless content: the board was too busy to try it. `floor` is the highest
    generation ever believed, by the count of `signer`. `starts` is how often the one in trial may still be started.
    `failed` is by fingerprint, oldest first; `accepted` are the digests of models that passed their acceptance.
    `baseline` is how the active one did.
    """

    floor: int = 0
    signer: Signer = NOBODY
    active: Deployment | None = None
    previous: Deployment | None = None
    trial: Deployment | None = None
    starts: int = 0
    failed: Mapping[str, Failure] = field(default_factory=dict[str, Failure])
    excused: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    baseline: Baseline = field(default_factory=Baseline)

    @property
    def running(self) -> Deployment | None:
        """The generation to run now."""
        return self.trial or self.active

    def digests(self) -> set[str]:
        """The artifacts in use by any slot."""
        slots = (self.active, self.previous, self.trial)
        return {ref.digest for slot in slots if slot for ref in slot.parts()}

    def functions(self) -> set[str]:
        """The functions of all slots."""
        return {name for slot in (self.active, self.previous, self.trial) if slot for name in slot.functions}


def fingerprint(content: Deployment) -> str:
    """The identity of a deployment's content: the artifacts and the configuration, whatever its generation."""
    return hashlib.sha256(json.dumps(content.content(), sort_keys=True).encode()).hexdigest()


def believe(slots: Slots, generation: int, signer: Signer = NOBODY) -> Slots:
    """A deployment of this generation, by the count of `signer`, is believed: any lower one will be refused."""
    return replace(slots, floor=max(generation, rules.lowest(slots.floor, slots.signer, signer)), signer=signer)


def accept(slots: Slots, model: str) -> Slots:
    """The model with this digest passed its acceptance."""
    return replace(slots, accepted=slots.accepted | {model})


def begin_trial(slots: Slots, new: Deployment, now: Baseline | None = None) -> Slots:
    """`new` is about to be started for the first time; it takes the place of another one in trial.

    `now` is how the running generation does: the active one, unless there is another one in trial.
    """
    known = baseline.merged(slots.baseline, now) if now and slots.trial is None else slots.baseline
    return replace(slots, trial=new, starts=STARTS - 1, baseline=known)


def boot(slots: Slots) -> Slots:
    """The agent starts: a trial uses up one more of its starts, or is reverted when all are used up."""
    if slots.trial is None:
        return slots
    if slots.starts == 0:
        return revert(slots, f"the agent did not survive it {STARTS} times", {"kind": "boot", "starts": STARTS})
    return replace(slots, starts=slots.starts - 1)


def commit(slots: Slots, now: Baseline | None = None) -> Slots:
    """The generation in trial has proved itself; the active one becomes the previous one. `now` is how it does.

    One with the content of the active one only has another number: the previous one stays the one to go back to.
    """
    assert slots.trial is not None
    content = fingerprint(slots.trial)
    failed = {key: each for key, each in slots.failed.items() if key != content}
    same = slots.active is not None and fingerprint(slots.active) == content
    previous = slots.previous if same else slots.active
    kept = replace(slots, active=slots.trial, previous=previous, trial=None, starts=0, failed=failed)
    return replace(kept, accepted=slots.accepted & kept.digests(), baseline=now or Baseline(), excused=_known(kept))


def revert(slots: Slots, reason: str, evidence: Mapping[str, object] = MappingProxyType({})) -> Slots:
    """The generation in trial failed; its content will be tried again only for another attempt, or if the evidence is a
    board too busy for it.
    """
    assert slots.trial is not None
    failure = Failure(slots.trial.generation, reason, slots.trial.attempt, evidence)
    content = fingerprint(slots.trial)
    others = [(key, each) for key, each in slots.failed.items() if key != content]
    newest = [*others, (content, failure)][-MAX_FAILED:]
    bare = [(key, each._replace(evidence={})) for key, each in newest[:-MAX_EVIDENCE]]
    reverted = replace(slots, trial=None, starts=0, failed=dict([*bare, *newest[-MAX_EVIDENCE:]]))
    return replace(reverted, excused=_known(reverted) - {content} | ({content} if _excuses(evidence) else set()))


def _excuses(evidence: Mapping[str, object]) -> bool:
    return evidence.get("kind") == BUSY


def _known(slots: Slots) -> frozenset[str]:
    """The excused ones still remembered."""
    return slots.excused & slots.failed.keys()


def lose(slots: Slots) -> Slots:
    """The generation in charge is damaged on disk: fall back to the one before it, if there is one."""
    if slots.trial is not None:
        return replace(slots, trial=None, starts=0)
    return replace(slots, active=slots.previous, previous=None, baseline=Baseline())


def load(path: Path) -> Slots:
    """The slots in the file, or empty ones for a missing file; raises ProtocolError for a damaged file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Slots()
    try:
        return _parse(table(json.loads(data), "slots"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{path} is damaged: {error}") from None


def save(path: Path, slots: Slots) -> None:
    """Replace the file with these slots, durably."""
    fields: dict[str, object] = {
        "format": FORMAT,
        "floor": slots.floor,
        "signer": slots.signer,
        "active": slots.active and slots.active.to_json(),
        "previous": slots.previous and slots.previous.to_json(),
        "trial": slots.trial and slots.trial.to_json(),
        "starts": slots.starts,
        "failed": [[key, *failure[:3], dict(failure.evidence)] for key, failure in slots.failed.items()],
        "excused": sorted(slots.excused),
        "accepted": sorted(slots.accepted),
        "baseline": slots.baseline.to_json(),
    }
    durable.write_file(path, json.dumps(fields).encode())


def _parse(fields: dict[str, object]) -> Slots:
    integer(fields, "format", "slots", FORMAT, FORMAT)
    failed = [items(each, "slots.failed") for each in items(fields.get("failed"), "slots.failed")]
    return Slots(
        floor=integer(fields, "floor", "slots", 0, deployment.MAX_GENERATION),
        signer=rules.signer(fields["signer"]) if "signer" in fields else NOBODY,
        active=_slot(fields, "active"),
        previous=_slot(fields, "previous"),
        trial=_slot(fields, "trial"),
        starts=integer(fields, "starts", "slots", 0, STARTS),
        failed=dict(_failure(each) for each in failed),
        excused=frozenset(sha256(each, "slots.excused") for each in items(fields.get("excused", []), "slots.excused")),
        accepted=frozenset(sha256(each, "slots.accepted") for each in items(fields.get("accepted"), "slots.accepted")),
        baseline=baseline.parse(fields["baseline"]) if "baseline" in fields else Baseline(),
    )


def _slot(fields: dict[str, object], key: str) -> Deployment | None:
    value = fields.get(key)
    return None if value is None else deployment.parse(value)


def _failure(entry: list[object]) -> tuple[str, Failure]:
    # One lacking the last two is from before there were attempts.
    rest: list[object] = [0, {}]
    names = ("fingerprint", "generation", "reason", "attempt", "evidence")
    fields: dict[str, object] = dict(zip(names, [*entry, *rest[max(0, len(entry) - 3) :]], strict=True))
    failure = Failure(
        integer(fields, "generation", "slots.failed", 1, deployment.MAX_GENERATION),
        text(fields, "reason", "slots.failed"),
        integer(fields, "attempt", "slots.failed", 0, deployment.MAX_GENERATION),
        table(fields["evidence"], "slots.failed"),
    )
    return sha256(fields["fingerprint"], "slots.failed"), failure
