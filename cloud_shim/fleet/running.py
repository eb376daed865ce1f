"""What a device runs and is asked to run, and what ran on it before: from its deployments and its last report.

The deployments are the documents that were signed for the device. A device that is offline counts as running what it
last reported. It decides nothing about what it finds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud_shim.database import DeploymentRow, DeviceRow, ReportRow
from cloud_shim.records import libraries
from cloud_shim.records.libraries import Known
from device.protocol import deployment as documents
from device.protocol import reported
from device.protocol.deployment import Deployment


@dataclass(frozen=True)
class Generation:
    """One deployment of one device; `outcome` is "" until the device has said how it ended."""

    number: int
    created: float
    outcome: str
    deployment: Deployment


@dataclass(frozen=True)
class Running:
    """What a device runs: `deployment` is None before the first. `created` is when that was asked for.

    `agent` is the version that it reports, "" before its first report; `libraries` are the agent's, empty for a device
    that never told.
    """

    generation: int
    created: float
    deployment: Deployment | None
    agent: str
    libraries: Known


def generations(session: Session, device: str) -> list[Generation]:
    """Every deployment that the device was given, the newest first."""
    rows = session.scalars(
        select(DeploymentRow).where(DeploymentRow.device == device).order_by(DeploymentRow.generation.desc())
    )
    return [
        Generation(row.generation, row.created, row.outcome, documents.decode(row.document.encode())) for row in rows
    ]


def present(session: Session, row: DeviceRow, known: Sequence[Generation]) -> Running:
    """What the device runs by its last report; before that, nothing of ours."""
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
