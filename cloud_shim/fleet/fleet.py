"""The deployment each device should run: deploys, removes, rolls back. Membership is members.py's.

Decides by deployments.py's pure rules, writes the database and tells the publisher. Sending is the publisher's.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

import boards
from cloud_shim.database import Database
from cloud_shim.fleet import aftermath, deployments, generations, views
from cloud_shim.fleet.aftermath import Part
from cloud_shim.fleet.changes import Changes
from cloud_shim.fleet.deployments import Settings, Trial
from cloud_shim.fleet.silence import is_silent
from cloud_shim.fleet.views import Aftermath, Json
from cloud_shim.releases.registry import Registry
from cloud_shim.releases.release import Release
from cloud_shim.releases.withdrawals import Withdrawals
from cloud_shim.tables import CredentialRow, DeploymentRow, DeviceRow, ReportRow, UseRow
from device.errors import NotFoundError, RejectedError, UsageError
from device.protocol import reported
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.reported import Reported
from device.protocol.settings import settings_mark


@dataclass(frozen=True)
class Device:
    """The facts a part of the shim needs to reach a device."""

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
        withdrawals: Withdrawals,
        deployed: Callable[[str], None],
    ) -> None:
        self._name = name
        self._database = database
        self._registry = registry
        self._changes = changes
        self._withdrawals = withdrawals
        self._deployed = deployed
        self._silent: set[str] = set()

    def names(self) -> list[str]:
        """Every device's name, sorted."""
        with self._database.read() as session:
            return list(session.scalars(select(DeviceRow.name).order_by(DeviceRow.name)))

    def announce_all(self) -> None:
        """Announce a change of every device: the broker came or went, and with it the way to reach them."""
        for name in self.names():
            self._changes.device(name)

    def announce_silent(self, listening: float | None) -> None:
        """Announce the devices that have fallen silent since the last time."""
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
            return self._views(session, list(rows), listening)

    def view(self, name: str, listening: float | None) -> Json:
        """One DEVICE."""
        with self._database.read() as session:
            return self._views(session, [self._row(session, name)], listening)[0]

    def heeding(self) -> list[Json]:
        """The parts of every DEVICE that say how it heeds the withdrawals."""
        known, present = self._withdrawals.known(), DeploymentRow.generation == DeviceRow.generation
        rows = (
            select(DeviceRow.name, DeploymentRow.document, ReportRow.body, CredentialRow.revoked)
            .outerjoin(DeploymentRow, (DeploymentRow.device == DeviceRow.name) & present)
            .outerjoin(ReportRow, ReportRow.device == DeviceRow.name)
            .outerjoin(CredentialRow, CredentialRow.device == DeviceRow.name)
        )
        with self._database.read() as session:
            found = session.execute(rows).all()
        return [views.heeding(row[0], row[1], row[2], row[3], known) for row in found]

    def device(self, name: str) -> Device:
        """How to reach the device."""
        with self._database.read() as session:
            row = self._row(session, name)
            simulation = Path(row.simulation) if row.simulation else None
            return Device(row.name, row.online, row.last_seen, simulation, _is_revoked(session, name))

    def deployment(self, name: str) -> Deployment:
        """The deployment the device should run now; generation 0 before the first."""
        with self._database.read() as session:
            return generations.present(session, self._name, self._row(session, name))

    def function(self, device: str, function: str) -> Release:
        """The release of this function the device should run."""
        deployment = self.deployment(device)
        ref = deployment.functions.get(function)
        if ref is None:
            known = ", ".join(sorted(deployment.functions)) or "none"
            raise NotFoundError(f"{device} has no function {function!r}", f"it has: {known}")
        return self._registry.find("function", function, ref.version)

    def asked(self, device: str, function: str) -> Release:
        """The release of this function that was last asked for: it may have failed on the device since."""
        with self._database.read() as session:
            self._row(session, device)
            failure = generations.failure(session, device, Part("function", function))
            version = failure.version if failure else 0
        return self._registry.find("function", function, version) if version else self.function(device, function)

    def settings(self, device: str, function: str, version: int, mark: str = "") -> Settings:
        """The settings last asked for with this version of the function; empty if it was never asked for.

        With the `mark` of a record (device/protocol/settings.py): the settings that its event met. Raises NotFoundError
        when this device was never asked for them.
        """
        known = self._registry.find("function", function, version).function.config if mark else {}
        with self._database.read() as session:
            self._row(session, device)
            for each in generations.newest_first(session, device):
                ref = each.functions.get(function)
                chosen = each.config.get(function, {})
                if ref and ref.version == version and mark in ("", settings_mark({**known, **chosen})):
                    return chosen
        if mark:
            raise NotFoundError(f"{device} was never asked for these settings of {function}@{version}", f"mark {mark}")
        return {}

    def deploy(
        self,
        device: str,
        release: Release,
        settings: Settings | None,
        trial: Trial,
        retry: bool = False,
        layer: Release | Literal["keep"] | None = "keep",
        by: str = "",
    ) -> int:
        """Put `release` over the deployment the device should run; gives the new generation. `by` asks for it.

        `settings` None keeps the previous ones. With `retry` it is tried even if it failed there before, with None for
        the settings it failed with. `layer` has a function's dependencies, None when it has none; "keep" leaves it at
        those of the release asked for before. Raises RejectedError when the result cannot run there, when the release
        or a model or layer that it uses was withdrawn, or the device was revoked.
        """
        for each in (release, layer):
            if isinstance(each, Release):
                self._registry.sign(each)
        with self._database.write() as session:
            row = self._member(session, device)
            deployment = self._next(session, row, release, settings, trial, retry, layer)
            generations.forget_failures(session, device, Part(release.kind, release.name))
            generations.add(session, row, deployment, f"deploy {release.kind} {release.name} v{release.version}", by)
        self._tell(device)
        return deployment.generation

    def check(self, device: str, release: Release) -> None:
        """Raise the error with which `deploy` would refuse the release; it may still be without a number.

        Settings are left to `deploy`.
        """
        with self._database.read() as session:
            self._next(session, self._member(session, device), release, None, Trial())

    def remove(self, device: str, kind: str, name: str, by: str = "") -> int:
        """Take the function or model called `name` from the device; gives the new generation.

        NotFoundError when the device has none of this name, RejectedError when a function still needs the model. One
        that failed and is not running is forgotten, and the generation stays.
        """
        part = Part(kind, name)
        with self._database.write() as session:
            row = self._member(session, device)
            deployment = generations.present(session, self._name, row)
            failed = generations.failure(session, device, part) is not None
            generations.forget_failures(session, device, part)
            if not failed or aftermath.version(deployment, part):
                deployment = deployments.without(deployment, kind, name, Trial())
                if kind == "model":
                    deployments.check_unused(deployment, self._registry.functions_of(deployment), name)
                generations.add(session, row, deployment, f"remove {kind} {name}", by)
        self._tell(device)
        return deployment.generation

    def go_on(self, device: str, before: str, generation: int, by: str) -> None:
        """Have a new device go on with what `before` was asked for as `generation`: its board runs that already.

        Its count goes on from the other's present one: the board takes nothing older than what it was given.
        """
        with self._database.write() as session:
            row, last = self._row(session, device), self._row(session, before).generation
            if row.generation or not last:
                return
            content = generations.at(session, self._name, before, generation).replace(device=device)
            reason = f"as {before} generation {generation}"
            generations.add(session, row, deployments.again(content, last + 1), reason, by)
        self._tell(device)

    def rollback(self, device: str, by: str = "") -> int:
        """Undo the last request: deploy again the last deployment proved before it; gives the new generation.

        So it is safe to ask for this while a failure is being taken back. One with a withdrawn or
        unsigned release is passed over.
        RejectedError when there is no such deployment.
        """
        with self._database.write() as session:
            row = self._member(session, device)
            last = generations.asked(session, device, row.generation, continues=False)
            present = generations.present(session, self._name, row)
            asked = generations.at(session, self._name, device, last)
            earlier = generations.last_good(session, row, asked, lambda each: self._withdrawals.allow(each, present))
            deployment = deployments.again(earlier, row.generation + 1)
            generations.forget_failures(session, device)
            generations.add(session, row, deployment, f"rollback to generation {earlier.generation}", by)
        self._tell(device)
        return deployment.generation

    def _next(
        self,
        session: Session,
        row: DeviceRow,
        release: Release,
        settings: Settings | None,
        trial: Trial,
        retry: bool = False,
        layer: Release | Literal["keep"] | None = "keep",
    ) -> Deployment:
        """The device's next deployment, with the release in it, checked; the arguments are those of `deploy`."""
        present = generations.present(session, self._name, row)
        before = self._failed(session, row.name, Part(release.kind, release.name)) or present
        chosen = _settings(release, before if retry else present, settings)
        useful = _useful(session, row.name, release)
        needs = before.layers.get(release.name) if layer == "keep" else layer and _useful(session, row.name, layer)
        deployment = deployments.with_release(present, useful, chosen, trial, retry, needs)
        board = boards.load(row.board)
        # Its own manifest too: the registry does not know a release without a number.
        own = {release.name: release.function} if release.kind == "function" else {}
        models = [deployment.models[each] for name in own for each in own[name].models if each in deployment.models]
        self._withdrawals.check(useful, *([needs] if needs else []), *models)
        deployments.check(deployment, {**self._registry.functions_of(deployment), **own}, board)
        report = _reported(session, row.name)
        deployments.check_models_run(deployment, board, report)
        for function in own.values():
            deployments.check_runtime(row.name, function, report)
        return deployment

    def _tell(self, device: str) -> None:
        self._deployed(device)
        self._changes.device(device)

    def _row(self, session: Session, name: str) -> DeviceRow:
        row = session.get(DeviceRow, name)
        if row is None:
            known = ", ".join(session.scalars(select(DeviceRow.name).order_by(DeviceRow.name).limit(20))) or "none"
            raise NotFoundError(f"There is no device {name!r}", f"known are: {known}", "`lamplight devices` lists them")
        return row

    def _member(self, session: Session, name: str) -> DeviceRow:
        """The row of a device in good standing; RejectedError for one that was shut out, or while nothing is signed."""
        self._registry.check_clock()
        row = self._row(session, name)
        if _is_revoked(session, name):
            raise revoked(name)
        return row

    def _failed(self, session: Session, device: str, part: Part) -> Deployment | None:
        """The failed deployment of this part, when it was the last one."""
        failure = generations.failure(session, device, part)
        return generations.at(session, self._name, device, failure.generation) if failure else None

    def _views(self, session: Session, rows: Sequence[DeviceRow], listening: float | None) -> list[Json]:
        one = rows[0].name if len(rows) == 1 else None
        failed, continued = generations.failures(session, one), generations.continued(session, one)
        now, known = time.time(), self._withdrawals.known()
        return [
            views.device(
                row,
                generations.present(session, self._name, row),
                session.get(ReportRow, row.name),
                session.get(CredentialRow, row.name),
                generations.asker(session, row.name, row.generation),
                Aftermath(failed.get(row.name, []), continued.get(row.name, {})),
                listening,
                now,
                known,
            )
            for row in rows
        ]


def revoked(device: str) -> RejectedError:
    """The error for any request to a device that was shut out."""
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


def _useful(session: Session, device: str, release: Release) -> ArtifactRef:
    """The release with its useful patches: those from a base the device was ever given."""
    given = set(session.scalars(select(UseRow.sha256).where(UseRow.device == device)))
    return release.ref.with_patches({patch.target for patch in release.patches if patch.base in given})
