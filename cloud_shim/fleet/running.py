"""A device's present deployment and all earlier ones, from the database and its last report.

The deployments are the documents signed for the device. An offline device counts as in its last report.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud_shim.records import libraries
from cloud_shim.records.libraries import Known
from cloud_shim.tables import DeploymentRow, DeviceRow, ReportRow
from device.protocol import deployment as documents
from device.protocol import reported
from device.protocol.deployment import Deployment


@dataclass(frozen=True)
class Generation:
    """One deployment of one device; `outcome` is "" until the device reports its end."""

    number: int
    created: float
    outcome: str
    deployment: Deployment


@dataclass(frozen=True)
class Running:
    """The present state of a device: `deployment`, asked for at `created`, is None before the first.

    `agent` is the reported version, "" before the first report. `libraries` are the agent's, empty while unreported.
    """

    generation: int
    created: float
    deployment: Deployment | None
    agent: str
    libraries: Known


def generations(session: Session, device: str) -> list[Generation]:
    """Every deployment of the device, the newest first."""
    rows = session.scalars(
        select(DeploymentRow).where(DeploymentRow.device == device).order_by(DeploymentRow.generation.desc())
    )
    return [
        Generation(row.generation, row.created, row.outcome, documents.decode(row.document.encode())) for row in rows
    ]


def present(session: Session, row: DeviceRow, known: Sequence[Generation]) -> Running:
    """The device by its last report; before the first, its `deployment` is None."""
    report = session.get(ReportRow, row.name)
    told = reported.known(json.loads(report.body)) if report else None
    runs = next((each for each in known if told and each.number == told.generation), None)
    return Running(
        generation=runs.number if runs else 0,
        created=runs.created if runs else row.created,
        deployment=runs.deployment if runs else None,
        agent=told.agent.version if told else "",
        libraries=libraries.known(session, row.name),
    )
