"""What each device should run: deploys, removes, rolls back. Who is a device is members.py's.

Decides by deployments.py's pure rules. It sends nothing itself: it writes the database and tells the publisher.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

import boards
from cloud_shim.database import CredentialRow, Database, DeploymentRow, DeviceRow, ReportRow, UseRow
from cloud_shim.fleet import deployments, views
from cloud_shim.fleet.changes import Changes
from cloud_shim.fleet.deployments import Settings, Trial
from cloud_shim.fleet.silence import is_silent
from cloud_shim.fleet.views import Json
from cloud_shim.releases.registry import Registry
from cloud_shim.releases.release import Release
from device.errors import NotFoundError, RejectedError, UsageError
from device.protocol import deployment as documents
from device.protocol import reported
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.manifest import FunctionManifest
from device.protocol.reported import Reported


@dataclass(frozen=True)
class Device:
    """What a part of the shim needs to know to reach a device."""

    name: str
    online: bool
    last_seen: float | None
    simulation: Path | None
    revoked: bool


class Fleet:
    """Every device of one fleet. `deployed` is called with a device's name after it got a new generation."""

    def __init__(
        self,
        name: str,
        database: Database,
        registry: Registry,
        changes: Changes,
        deployed: Callable[[str], None],
    ) -> None:
        self._name = name
        self._database = database
        self._registry = registry
        self._changes = changes
        self._deployed = deployed
        self._silent: set[str] = set()

    def names(self) -> list[str]:
        """Every device's name, sorted."""
        with self._database.read() as session:
            return list(session.scalars(select(DeviceRow.name).order_by(DeviceRow.name)))

    def announce_all(self) -> None:
        """Say that every device changed: the broker came or went, and with it who can be reached."""
        for name in self.names():
            self._changes.device(name)

    def announce_silent(self, listening: float | None) -> None:
        """Say that those changed which have fallen silent since the last time."""
        now = time.time()
        with self._database.read() as session:
            rows = session.scalars(select(DeviceRow).where(DeviceRow.online))
            silent = {row.name for row in rows if is_silent(row.online, row.last_seen, listening, now)}
        for name in silent - self._silent:
            self._changes.device(name)
        self._silent = silent

    def views(self, listening: float | None) -> list[Json]:
        """Every DEVICE, by name; `listening` as in views.device."""
        with self._database.read() as session:
            rows = session.scalars(select(DeviceRow).order_by(DeviceRow.name))
            return [self._view(session, row, listening) for row in rows]

    def view(self, name: str, listening: float | None) -> Json:
        """One DEVICE."""
        with self._database.read() as session:
            return self._view(session, self._row(session, name), listening)

    def device(self, name: str) -> Device:
        """How to reach the device."""
        with self._database.read() as session:
            row = self._row(session, name)
            simulation = Path(row.simulation) if row.simulation else None
            return Device(row.name, row.online, row.last_seen, simulation, _is_revoked(session, name))

    def deployment(self, name: str) -> Deployment:
        """What the device should run now; generation 0 when nothing was ever deployed."""
        with self._database.read() as session:
            return self._present(session, self._row(session, name))

    def function(self, device: str, function: str) -> Release:
        """The release of that function which the device should run."""
        deployment = self.deployment(device)
        ref = deployment.functions.get(function)
        if ref is None:
            known = ", ".join(sorted(deployment.functions)) or "none"
            raise NotFoundError(f"{device} has no function {function!r}", f"it has: {known}")
        return self._registry.find("function", function, ref.version)

    def settings(self, device: str, function: str, version: int) -> Settings:
        """Those that the device was last asked to run that version of the function with; none when it never was."""
        with self._database.read() as session:
            self._row(session, device)
            for each in _generations(session, device):
                ref = each.functions.get(function)
                if ref and ref.version == version:
                    return each.config.get(function, {})
        return {}

    def deploy(
        self,
        device: str,
        release: Release,
        settings: Settings | None,
        trial: Trial,
        retry: bool = False,
        layer: Release | Literal["keep"] | None = "keep",
    ) -> int:
        """Put `release` over what the device's last deployment has; gives the new generation.

        `settings` None keeps the previous ones; with `retry` it is tried even if it failed there before.
        `layer` has a function's dependencies, None when it has none; "keep" leaves it at those of the release before.
        Raises RejectedError when that cannot run there, or the device was revoked.
        """
        for each in (release, layer):
            if isinstance(each, Release):
                self._registry.sign(each)
        with self._database.write() as session:
            row = self._member(session, device)
            present = self._present(session, row)
            chosen = _settings(release, present, settings)
            useful = _useful(session, device, release)
            needs = present.layers.get(release.name) if layer == "keep" else layer and _useful(session, device, layer)
            deployment = deployments.with_release(present, useful, chosen, trial, retry, needs)
            board = boards.load(row.board)
            deployments.check(deployment, self._manifests(deployment), board)
            deployments.check_models_run(deployment, board, _reported(session, device))
            _add(session, row, deployment, f"deploy {release.kind} {release.name} v{release.version}")
        self._tell(device)
        return deployment.generation

    def remove(self, device: str, kind: str, name: str) -> int:
        """Take the function or model called `name` from the device; gives the new generation.

        NotFoundError when the device has none of that name, RejectedError when a function still needs the model.
        """
        with self._database.write() as session:
            row = self._member(session, device)
            deployment = deployments.without(self._present(session, row), kind, name, Trial())
            if kind == "model":
                deployments.check_unused(deployment, self._manifests(deployment), name)
            _add(session, row, deployment, f"remove {kind} {name}")
        self._tell(device)
        return deployment.generation

    def rollback(self, device: str) -> int:
        """Deploy again what last proved itself and is not what the device should run now; gives the new generation.

        RejectedError when there is no such deployment.
        """
        with self._database.write() as session:
            row = self._member(session, device)
            present = self._present(session, row)
            earlier = _last_good(session, present)
            deployment = deployments.again(earlier, present.generation + 1)
            _add(session, row, deployment, f"rollback to generation {earlier.generation}")
        self._tell(device)
        return deployment.generation

    def _tell(self, device: str) -> None:
        self._deployed(device)
        self._changes.device(device)

    def _manifests(self, deployment: Deployment) -> dict[str, FunctionManifest]:
        digests = {ref.digest for ref in deployment.functions.values()}
        return {release.name: release.function for release in self._registry.by_digests(digests)}

    def _row(self, session: Session, name: str) -> DeviceRow:
        row = session.get(DeviceRow, name)
        if row is None:
            known = ", ".join(session.scalars(select(DeviceRow.name).order_by(DeviceRow.name).limit(20))) or "none"
            raise NotFoundError(f"There is no device {name!r}", f"known are: {known}", "`lamplight devices` lists them")
        return row

    def _member(self, session: Session, name: str) -> DeviceRow:
        """The device that may be told to run something; RejectedError for one that was shut out."""
        row = self._row(session, name)
        if _is_revoked(session, name):
            raise revoked(name)
        return row

    def _present(self, session: Session, row: DeviceRow) -> Deployment:
        current = session.get(DeploymentRow, (row.name, row.generation))
        return documents.decode(current.document.encode()) if current else deployments.empty(self._name, row.name)

    def _view(self, session: Session, row: DeviceRow, listening: float | None) -> Json:
        report = session.get(ReportRow, row.name)
        credential = session.get(CredentialRow, row.name)
        return views.device(row, self._present(session, row), report, credential, listening, time.time())


def revoked(device: str) -> RejectedError:
    """Why nothing can be asked of a device that was shut out."""
    return RejectedError(
        f"{device} was revoked",
        "it is shut out, and hears of nothing",
        "flash it again: `python flash.py image --again`",
    )


def _is_revoked(session: Session, device: str) -> bool:
    credential = session.get(CredentialRow, device)
    return credential is not None and credential.revoked


def _reported(session: Session, device: str) -> Reported | None:
    report = session.get(ReportRow, device)
    return reported.known(json.loads(report.body)) if report else None


def _settings(release: Release, present: Deployment, settings: Settings | None) -> Settings:
    if release.kind != "function":
        if settings:
            raise UsageError(f"The {release.kind} has no settings", "only functions have")
        return {}
    if settings is None:
        return deployments.kept_settings(release.function, present.config.get(release.name, {}))
    deployments.check_settings(release.function, settings)
    return settings


def _add(session: Session, row: DeviceRow, deployment: Deployment, reason: str) -> None:
    document = deployment.encode().decode()
    session.add(
        DeploymentRow(
            device=row.name,
            generation=deployment.generation,
            document=document,
            created=time.time(),
            reason=reason,
        )
    )
    digests = {ref.digest for ref in deployment.targets()}
    session.add_all(UseRow(device=row.name, generation=deployment.generation, sha256=digest) for digest in digests)
    row.generation = deployment.generation


def _useful(session: Session, device: str, release: Release) -> ArtifactRef:
    """The release with those of its patches that start from something which the device was ever given."""
    given = set(session.scalars(select(UseRow.sha256).where(UseRow.device == device)))
    return release.ref.with_patches({patch.target for patch in release.patches if patch.base in given})


def _generations(session: Session, device: str) -> Iterator[Deployment]:
    """All that the device was ever asked to run, the newest first."""
    rows = select(DeploymentRow.document).where(DeploymentRow.device == device)
    for document in session.scalars(rows.order_by(DeploymentRow.generation.desc())):
        yield documents.decode(document.encode())


def _last_good(session: Session, present: Deployment) -> Deployment:
    good = (
        select(DeploymentRow.document)
        .where(DeploymentRow.device == present.device, DeploymentRow.generation < present.generation)
        .where(DeploymentRow.outcome == "COMMITTED")
        .order_by(DeploymentRow.generation.desc())
    )
    for document in session.scalars(good):
        earlier = documents.decode(document.encode())
        if not deployments.same_content(earlier, present):
            return earlier
    raise RejectedError(
        f"There is nothing to roll {present.device} back to",
        "no earlier deployment with another content proved itself on the device",
        f"deploy what should run; `lamplight status {present.device}` shows what does",
    )
