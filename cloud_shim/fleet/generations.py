"""A device's generations in the database: the present, earlier and new ones, the failures, and the successors.

Queries and rows only, each in the caller's transaction. The content of a generation is decided elsewhere.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cloud_shim.fleet import deployments
from cloud_shim.fleet.aftermath import Part
from cloud_shim.tables import DeploymentRow, DeviceRow, FailureRow, SuccessionRow, UseRow
from device.errors import RejectedError
from device.protocol import deployment as documents
from device.protocol.deployment import Deployment


def present(session: Session, fleet: str, row: DeviceRow) -> Deployment:
    """The deployment the device should run now; generation 0 before the first."""
    return at(session, fleet, row.name, row.generation)


def at(session: Session, fleet: str, device: str, generation: int) -> Deployment:
    """This generation of the device; an empty one when there is none."""
    row = session.get(DeploymentRow, (device, generation))
    return documents.decode(row.document.encode()) if row else deployments.empty(fleet, device)


def newest_first(session: Session, device: str) -> Iterator[Deployment]:
    """All deployments ever asked of the device."""
    rows = select(DeploymentRow.document).where(DeploymentRow.device == device)
    for document in session.scalars(rows.order_by(DeploymentRow.generation.desc())):
        yield documents.decode(document.encode())


def proved(session: Session, device: str) -> Iterator[Deployment]:
    """The deployments that proved themselves on the device, the newest first."""
    rows = select(DeploymentRow.document).where(DeploymentRow.device == device, DeploymentRow.outcome == "COMMITTED")
    for document in session.scalars(rows.order_by(DeploymentRow.generation.desc())):
        yield documents.decode(document.encode())


def base(session: Session, fleet: str, device: str) -> Deployment:
    """The last deployment that proved itself; an empty one before the first."""
    return next(proved(session, device), deployments.empty(fleet, device))


def asker(session: Session, device: str, generation: int) -> str:
    """The name of whoever asked for this generation; "" where it is unknown."""
    row = session.get(DeploymentRow, (device, generation))
    return row.by if row else ""


def add(session: Session, row: DeviceRow, deployment: Deployment, reason: str, by: str) -> None:
    """Make this the generation the device should run; `reason` names the cause of it, `by` whoever asked for it."""
    document = deployment.encode().decode()
    generation = deployment.generation
    now = time.time()
    session.add(
        DeploymentRow(device=row.name, generation=generation, document=document, created=now, reason=reason, by=by)
    )
    digests = {ref.digest for ref in deployment.targets()}
    session.add_all(UseRow(device=row.name, generation=generation, sha256=digest) for digest in digests)
    row.generation = generation


def last_good(session: Session, row: DeviceRow, asked: Deployment, allowed: Callable[[Deployment], bool]) -> Deployment:
    """The last `allowed` deployment to prove itself with another content than `asked`; RejectedError without one."""
    others = [each for each in proved(session, row.name) if not deployments.same_content(each, asked)]
    for earlier in others:
        if allowed(earlier):
            return earlier
    raise RejectedError(
        f"There is nothing to roll {row.name} back to",
        "each earlier deployment has a release that was withdrawn, or is signed no more"
        if others
        else "no earlier deployment with another content proved itself on the device",
        f"deploy what should run; `lamplight status {row.name}` shows what does",
    )


def failure(session: Session, device: str, part: Part) -> FailureRow | None:
    """The failure of the last deployment of this part, if it failed."""
    return session.get(FailureRow, (device, *part))


def failures(session: Session, device: str | None = None) -> dict[str, list[FailureRow]]:
    """The failures of parts not asked for anew since, on this device or on every one.

    They are given by device, the oldest first.
    """
    rows = select(FailureRow).order_by(FailureRow.generation, FailureRow.kind, FailureRow.name)
    found: dict[str, list[FailureRow]] = {}
    for row in session.scalars(rows if device is None else rows.where(FailureRow.device == device)):
        found.setdefault(row.device, []).append(row)
    return found


def forget_failures(session: Session, device: str, part: Part | None = None) -> None:
    """Forget the failures of the part, or of every one: it is asked for anew."""
    rows = delete(FailureRow).where(FailureRow.device == device)
    session.execute(rows.where(FailureRow.kind == part.kind, FailureRow.name == part.name) if part else rows)


def succeed(session: Session, device: str, replaced: Sequence[tuple[int, bool]], successor: int) -> None:
    """Note that `successor` takes the place of these generations; each with whether its request lives on in it."""
    for generation, continues in replaced:
        session.merge(SuccessionRow(device=device, generation=generation, successor=successor, continues=continues))


def asked(session: Session, device: str, generation: int, continues: bool) -> int:
    """The generation a person asked for, of which the shim made this one in the end; itself when a person asked for it.

    With `continues` the search follows successors in which the request lives on, otherwise those in which it failed.
    """
    rows = select(SuccessionRow.generation).where(
        SuccessionRow.device == device,
        SuccessionRow.successor == generation,
        SuccessionRow.continues.is_(continues),
    )
    before = session.scalar(rows.order_by(SuccessionRow.generation.desc()).limit(1))
    return generation if before is None else asked(session, device, before, continues)


def continued(session: Session, device: str | None = None) -> dict[str, dict[int, int]]:
    """By device, the generations that go on as another one, each with its successor."""
    rows = select(SuccessionRow).where(SuccessionRow.continues)
    found: dict[str, dict[int, int]] = {}
    for row in session.scalars(rows if device is None else rows.where(SuccessionRow.device == device)):
        found.setdefault(row.device, {})[row.generation] = row.successor
    return found
