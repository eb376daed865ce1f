"""Writes down how generations end, and replaces a failed one at once by the next one the device is to run.

The caller's transaction holds the outcome and its consequences: a shim that dies in between keeps neither. The
consequences are decided by aftermath.py.
"""

import json
import time
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

import boards
from cloud_shim.fleet import aftermath, deployments, generations
from cloud_shim.fleet.aftermath import Aftermath, Part
from cloud_shim.people.identity import SHIM
from cloud_shim.releases.registry import Registry
from cloud_shim.tables import DeploymentRow, DeviceRow, FailureRow, ReportRow
from device.errors import LamplightError
from device.protocol import reported
from device.protocol.deployment import Deployment
from device.protocol.reported import FAILED, Reported

# Characters kept of a device's reason: it is a board's word, and stands in every list.
MAX_REASON = 2000


class Outcome(NamedTuple):
    """How a generation ended: COMMITTED, REVERTED or REJECTED, the reason, and the part the device blames, if any."""

    generation: int
    state: str
    reason: str = ""
    blamed: Part | None = None


class Outcomes:
    """The outcomes of one fleet's generations."""

    def __init__(self, fleet: str, registry: Registry) -> None:
        self._fleet = fleet
        self._registry = registry

    def note(self, session: Session, device: str, outcome: Outcome) -> bool:
        """Write it down; True when the device is asked for something else now.

        The first word counts: devices repeat themselves, and their news come late. But a commit is final, since news of
        an earlier try may arrive after it.
        """
        row = session.get(DeploymentRow, (device, outcome.generation))
        if row is None or row.outcome in ("COMMITTED", outcome.state):
            return False
        first, row.outcome = not row.outcome, outcome.state
        if outcome.state not in FAILED:
            _forgive(session, device, outcome.generation)
            return False
        return first and self._replace(session, device, outcome)

    def heal(self, session: Session) -> list[str]:
        """Replace failures left over by an older shim, from before failures were replaced; gives their devices."""
        present = (DeploymentRow.device == DeviceRow.name) & (DeploymentRow.generation == DeviceRow.generation)
        failed = select(DeploymentRow).join(DeviceRow, present).where(DeploymentRow.outcome.in_(FAILED))
        rows = list(session.scalars(failed))
        return [row.device for row in rows if self._replace(session, row.device, _told(session, row))]

    def _replace(self, session: Session, device: str, outcome: Outcome) -> bool:
        row = session.get_one(DeviceRow, device)
        present = generations.present(session, self._fleet, row)
        base = generations.base(session, self._fleet, device)
        # A later generation has proved itself, or a person has asked to try this one again.
        if base.generation > outcome.generation or present.attempt > outcome.generation:
            return False
        failed = generations.at(session, self._fleet, device, outcome.generation)
        proved = _runs(session, device, failed)
        found = aftermath.after(base, failed, present, outcome.blamed, self._uses(failed), proved)
        found = self._fitting(row, base, present, found, proved)
        _blame(session, device, outcome, failed, found.guilty)
        if found.wanted is None:
            return False
        continues = not deployments.same_content(found.wanted, aftermath.returned(base, present, proved))
        replaced = {outcome.generation, present.generation}
        lasting = [(each, continues and self._lasts(session, device, each, found)) for each in sorted(replaced)]
        generations.succeed(session, device, lasting, found.wanted.generation)
        generations.add(session, row, found.wanted, _reason(outcome, base, continues), SHIM)
        return True

    def _fitting(
        self, row: DeviceRow, base: Deployment, present: Deployment, found: Aftermath, proved: bool
    ) -> Aftermath:
        """The same, or all changes taken out where the rest do not fit each other."""
        if found.wanted is None:
            return found
        try:
            deployments.check(found.wanted, self._registry.functions_of(found.wanted), boards.load(row.board))
        except LamplightError:
            all_of_it = aftermath.returned(base, present, proved)
            return Aftermath(aftermath.changed(all_of_it, present), all_of_it)
        return found

    def _lasts(self, session: Session, device: str, generation: int, found: Aftermath) -> bool:
        """Whether a person's change in this generation is still asked for."""
        number = generations.asked(session, device, generation, continues=True)
        asked = generations.at(session, self._fleet, device, number)
        own = aftermath.changed(generations.at(session, self._fleet, device, number - 1), asked)
        return bool(own) and not own & found.guilty

    def _uses(self, deployment: Deployment) -> dict[str, list[str]]:
        manifests = self._registry.functions_of(deployment)
        return {name: list(manifest.models) for name, manifest in manifests.items()}


def _blame(session: Session, device: str, outcome: Outcome, failed: Deployment, guilty: frozenset[Part]) -> None:
    for part in guilty:
        session.merge(
            FailureRow(
                device=device,
                kind=part.kind,
                name=part.name,
                version=aftermath.version(failed, part),
                generation=outcome.generation,
                state=outcome.state,
                reason=outcome.reason[:MAX_REASON],
                time=time.time(),
            )
        )


def _forgive(session: Session, device: str, generation: int) -> None:
    """Take a failure back: the generation runs after all. The device had lacked something, such as room on the disk."""
    for row in generations.failures(session, device).get(device, []):
        if row.generation == generation:
            session.delete(row)


def _reason(outcome: Outcome, base: Deployment, continues: bool) -> str:
    left = f"what generation {outcome.generation} asked for, without what failed"
    return left if continues else f"back to generation {base.generation}: generation {outcome.generation} failed"


def _runs(session: Session, device: str, deployment: Deployment) -> bool:
    """Whether the agent of the deployment runs on the device, and has proved itself."""
    report = _report(session, device)
    wanted = deployment.agent.digest if deployment.agent else ""
    return report is not None and report.agent.digest == wanted and not report.agent.trial


def _told(session: Session, row: DeploymentRow) -> Outcome:
    """The device's last report on a generation known to have failed."""
    report = _report(session, row.device)
    return Outcome(row.generation, row.outcome, report.standing(row.generation).reason if report else "")


def _report(session: Session, device: str) -> Reported | None:
    row = session.get(ReportRow, device)
    return reported.known(json.loads(row.body)) if row else None
