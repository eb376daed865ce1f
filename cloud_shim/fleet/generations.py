"""A device's generations in the database: the present one, earlier ones, a new one; what failed, what took its place.

Queries and rows only, each in the caller's transaction. What a generation holds is decided elsewhere.
"""

import time
from collections.abc import Iterator, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cloud_shim.database import DeploymentRow, DeviceRow, FailureRow, SuccessionRow, UseRow
from cloud_shim.fleet import deployments
from cloud_shim.fleet.aftermath import Part
from device.errors import RejectedError
from device.protocol import deployment as documents
from device.protocol.deployment import Deployment


def present(session: Session, fleet: str, row: DeviceRow) -> Deployment:
    """What the device should run now; generation 0 when nothing was ever deployed."""
    return at(session, fleet, row.name, row.generation)


def at(session: Session, fleet: str, device: str, generation: int) -> Deployment:
    """That generation of the device; an empty one when there is none."""
    row = session.get(DeploymentRow, (device, generation))
    return documents.decode(row.document.encode()) if row else deployments.empty(fleet, device)


def newest_first(session: Session, device: str) -> Iterator[Deployment]:
    """All that the device was ever asked to run."""
    rows = select(DeploymentRow.document).where(DeploymentRow.device == device)
    for document in session.scalars(rows.order_by(DeploymentRow.generation.desc())):
        yield documents.decode(document.encode())


def proved(session: Session, device: str) -> Iterator[Deployment]:
    """Those that proved themselves on the device, the newest first."""
    rows = select(DeploymentRow.document).where(DeploymentRow.device == device, DeploymentRow.outcome == "COMMITTED")
    for document in session.scalars(rows.order_by(DeploymentRow.generation.desc())):
        yield documents.decode(document.encode())


def base(session: Session, fleet: str, device: str) -> Deployment:
    """The last that proved itself; an empty one when none did."""
    return next(proved(session, device), deployments.empty(fleet, device))


def add(session: Session, row: DeviceRow, deployment: Deployment, reason: str) -> None:
    """Make this the generation that the device should run; `reason` says what asked for it."""
    document = deployment.encode().decode()
    generation = deployment.generation
    session.add(
        DeploymentRow(device=row.name, generation=generation, document=document, created=time.time(), reason=reason)
    )
    digests = {ref.digest for ref in deployment.targets()}
    session.add_all(UseRow(device=row.name, generation=generation, sha256=digest) for digest in digests)
    row.generation = generation


def last_good(session: Session, row: DeviceRow, asked: Deployment) -> Deployment:
    """What last proved itself and has another content than `asked`; RejectedError when there is no such deployment."""
    for earlier in proved(session, row.name):
        if not deployments.same_content(earlier, asked):
            return earlier
    raise RejectedError(
        f"There is nothing to roll {row.name} back to",
        "no earlier deployment with another content proved itself on the device",
        f"deploy what should run; `lamplight status {row.name}` shows what does",
    )


def failure(session: Session, device: str, part: Part) -> FailureRow | None:
    """How the last deployment of that part failed, if it did."""
    return session.get(FailureRow, (device, *part))


def failures(session: Session, device: str | None = None) -> dict[str, list[FailureRow]]:
    """What failed on that device, or on every one, and was not asked for anew; by device, the oldest first."""
    rows = select(FailureRow).order_by(FailureRow.generation, FailureRow.kind, FailureRow.name)
    found: dict[str, list[FailureRow]] = {}
    for row in session.scalars(rows if device is None else rows.where(FailureRow.device == device)):
        found.setdefault(row.device, []).append(row)
    return found


def forget_failures(session: Session, device: str, part: Part | None = None) -> None:
    """The part, or every one, is asked for anew: that it failed before counts no more."""
    rows = delete(FailureRow).where(FailureRow.device == device)
    session.execute(rows.where(FailureRow.kind == part.kind, FailureRow.name == part.name) if part else rows)


def succeed(session: Session, device: str, replaced: Sequence[tuple[int, bool]], successor: int) -> None:
    """`successor` takes the place of these generations; each with whether what it asked for is in it."""
    for generation, continues in replaced:
        session.merge(SuccessionRow(device=device, generation=generation, successor=successor, continues=continues))


def asked(session: Session, device: str, generation: int, continues: bool) -> int:
    """The generation that a person asked for, of which the shim made this one in the end; itself when a person did.

    With `continues` only what still is what the person asked for is followed back, without only what failed.
    """
    rows = select(SuccessionRow.generation).where(
        SuccessionRow.device == device,
        SuccessionRow.successor == generation,
        SuccessionRow.continues.is_(continues),
    )
    before = session.scalar(rows.order_by(SuccessionRow.generation.desc()).limit(1))
    return generation if before is None else asked(session, device, before, continues)


def continued(session: Session, device: str | None = None) -> dict[str, dict[int, int]]:
    """By device, the generations that go on as another one, and as which."""
    rows = select(SuccessionRow).where(SuccessionRow.continues)
    found: dict[str, dict[int, int]] = {}
    for row in session.scalars(rows if device is None else rows.where(SuccessionRow.device == device)):
        found.setdefault(row.device, {})[row.generation] = row.successor
    return found
