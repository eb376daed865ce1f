"""The versions of the agent: the running one, the one on trial, and the failed ones.

`Ledger` is a value; each transition is pure and gives a new one. `load` and `save` keep it as one small file, replaced
as a whole. A version is named by the sha256 of its artifact, BUILT_IN is the version installed on the board. A `note`
is the agent's own, to be told again: the launcher does not look into it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from device import durable
from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, sha256, table, text

FORMAT = 1
BUILT_IN = ""
# The folder of the agent's versions in its state folder. Boards in the field have it under this name.
AGENTS = "runtime"
# How often a version on trial may be started.
TRIES = 3
# Failures remembered; the oldest is forgotten.
MAX_FAILED = 16

Note = Mapping[str, object]


class Trial(NamedTuple):
    """A version still to prove itself; `tries` is how often it may still be started."""

    version: str
    tries: int
    note: Note


class Failure(NamedTuple):
    """Why a version was given up, and the note of its trial."""

    reason: str
    note: Note


@dataclass(frozen=True)
class Ledger:
    """`active` has proved itself, `previous` is the version before it (None: none), `failed` is by version.

    `lost` says why `active` is no longer the version it was: "" as long as it is.
    """

    active: str = BUILT_IN
    previous: str | None = None
    trial: Trial | None = None
    failed: Mapping[str, Failure] = field(default_factory=dict[str, Failure])
    lost: str = ""

    @property
    def running(self) -> str:
        """The version to run now."""
        return self.trial.version if self.trial else self.active

    @property
    def fallback(self) -> str | None:
        """The version to run when `running` cannot; None when it is the only one."""
        return self.active if self.trial else self.previous

    def versions(self) -> set[str]:
        """Every version whose files are needed."""
        return {self.active, self.running, self.previous or BUILT_IN} - {BUILT_IN}


def ask(ledger: Ledger, version: str, note: Note) -> Ledger:
    """The agent asks for another version; `previous` makes room for it, so there are at most two."""
    return replace(ledger, trial=Trial(version, TRIES, note), previous=None)


def start(ledger: Ledger) -> Ledger:
    """The agent is about to be started: a trial uses up one of its tries, or is given up when all are used up."""
    if ledger.trial is None:
        return ledger
    if ledger.trial.tries == 0:
        return revert(ledger, f"it ended {TRIES} times before it had proved itself")
    return replace(ledger, trial=ledger.trial._replace(tries=ledger.trial.tries - 1))


def refund(ledger: Ledger) -> Ledger:
    """The agent ended in order because it was asked to: its start is given back."""
    if ledger.trial is None:
        return ledger
    return replace(ledger, trial=ledger.trial._replace(tries=min(TRIES, ledger.trial.tries + 1)))


def prove(ledger: Ledger) -> Ledger:
    """The version on trial has proved itself."""
    if ledger.trial is None:
        return ledger
    failed = {version: failure for version, failure in ledger.failed.items() if version != ledger.trial.version}
    return Ledger(active=ledger.trial.version, previous=ledger.active, failed=failed)


def revert(ledger: Ledger, reason: str) -> Ledger:
    """The version on trial is given up."""
    if ledger.trial is None:
        return ledger
    others = {version: each for version, each in ledger.failed.items() if version != ledger.trial.version}
    failed = {**others, ledger.trial.version: Failure(reason, ledger.trial.note)}
    return replace(ledger, trial=None, failed=dict(list(failed.items())[-MAX_FAILED:]))


def lose(ledger: Ledger, reason: str) -> Ledger:
    """The files of the version in charge are damaged: fall back to the one before it."""
    if ledger.trial is not None:
        return revert(ledger, reason)
    return replace(ledger, active=ledger.previous or BUILT_IN, previous=None, lost=reason)


def load(path: Path) -> Ledger:
    """The ledger in the file, or a new one for a missing file; raises ProtocolError for a damaged file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Ledger()
    try:
        return _parse(table(json.loads(data), "ledger"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{path} is damaged: {error}") from None


def save(path: Path, ledger: Ledger) -> None:
    """Replace the file with this ledger, durably."""
    fields: dict[str, object] = {
        "format": FORMAT,
        "active": ledger.active,
        "previous": ledger.previous,
        "trial": ledger.trial and ledger.trial._asdict(),
        "failed": {version: each._asdict() for version, each in ledger.failed.items()},
        "lost": ledger.lost,
    }
    durable.write_file(path, json.dumps(fields).encode())


def _parse(fields: dict[str, object]) -> Ledger:
    integer(fields, "format", "ledger", FORMAT, FORMAT)
    failed = table(fields.get("failed"), "ledger.failed")
    return Ledger(
        active=version(fields.get("active"), "ledger.active"),
        previous=None if fields.get("previous") is None else version(fields["previous"], "ledger.previous"),
        trial=None if fields.get("trial") is None else _trial(table(fields["trial"], "ledger.trial")),
        failed={version(name, "ledger.failed"): _failure(each) for name, each in failed.items()},
        lost=text(fields, "lost", "ledger", ""),
    )


def version(value: object, where: str) -> str:
    """`value` as the name of a version; raises ProtocolError."""
    return BUILT_IN if value == BUILT_IN else sha256(value, where)


def _trial(fields: dict[str, object]) -> Trial:
    tries = integer(fields, "tries", "ledger.trial", 0, TRIES)
    return Trial(
        version(fields.get("version"), "ledger.trial.version"), tries, table(fields.get("note"), "ledger.trial")
    )


def _failure(value: object) -> Failure:
    fields = table(value, "ledger.failed")
    return Failure(text(fields, "reason", "ledger.failed"), table(fields.get("note"), "ledger.failed.note"))
