"""Finds the devices with a package: its version there, its users, and the time since they run it.

`uses` is pure; `find` reads the database. The manifests of a deployment's layers list its packages. The device reports
the libraries of its agent. Versions are judged by the asker.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud_shim.database import Database
from cloud_shim.fleet import running
from cloud_shim.fleet.running import Generation, Running
from cloud_shim.releases import inventory
from cloud_shim.releases.inventory import Package
from cloud_shim.releases.registry import Registry
from cloud_shim.tables import CredentialRow, DeviceRow, RecordRow
from device.libraries import normalised
from device.protocol.deployment import ArtifactRef, Deployment
from device.protocol.reported import FAILED

Json = dict[str, object]
Packages = Callable[[ArtifactRef], Sequence[Package]]


@dataclass(frozen=True)
class Use:
    """One package in one version on one device. `version` is "" where only the range `requires` is known.

    `functions` use it from their layer. For the agent's own library they are empty, and `agent` is its version. `state`
    is "running", or "asked" while the device is still to get it. The device has run the version in one stretch from
    `since` up to now (None: unknown). The deployment `generation` brought it, 0 for none.
    """

    package: str
    version: str
    requires: str
    functions: tuple[str, ...]
    agent: str
    state: str
    generation: int
    since: float | None


def find(database: Database, registry: Registry, name: str) -> Json:
    """EXPOSURE (docs/api.md): every use of the package `name`, device by device, however it is spelled.

    `unknown` are the devices with an agent too old to report its libraries.
    """
    packages = _lookup(registry)
    found: list[Json] = []
    unknown: list[str] = []
    with database.read() as session:
        for row in session.scalars(select(DeviceRow).order_by(DeviceRow.name)):
            known = running.generations(session, row.name)
            now = running.present(session, row, known)
            if not now.libraries:
                unknown.append(row.name)
            of_device = uses(normalised(name), now, known, packages, lambda g, row=row: _began(session, row.name, g))
            found += [{**_device(session, row), **asdict(each)} for each in of_device]
    return {"package": normalised(name), "uses": found, "unknown": unknown}


def uses(
    name: str,
    now: Running,
    known: Sequence[Generation],
    packages: Packages,
    began: Callable[[Generation], float],
) -> Iterator[Use]:
    """The uses of the package on one device, whose deployments are `known`, newest first.

    `packages` gives an artifact's packages, `began` the time of a generation's start.
    """
    present = _functions(name, now.deployment, packages)
    # The running generation, and the kept ones before it: a reverted one ran for its trial only.
    kept = [g for g in known if g.number == now.generation or (g.number < now.generation and g.outcome == "COMMITTED")]
    for package, functions in present.items():
        first = _first(kept, lambda g, p=package: p.version in _versions(name, g.deployment, packages))
        yield _use(package, functions, "running", first.number, began(first))
    yield from _of_agent(name, now, packages)
    asked = known[0] if known and known[0].number > now.generation else None
    if asked and asked.outcome not in FAILED:
        for package, functions in _functions(name, asked.deployment, packages).items():
            if package not in present:
                yield _use(package, functions, "asked", asked.number, None)


def _of_agent(name: str, now: Running, packages: Packages) -> Iterator[Use]:
    """The agent's own use. Its libraries lie on the board, beside all deployments."""
    release = now.deployment.agent if now.deployment else None
    if name in now.libraries:
        library = now.libraries[name]
        yield Use(name, library["version"], "", (), now.agent, "running", 0, library["since"])
    elif not now.libraries and release is not None:
        for package in packages(release):
            if package.name == name:
                yield Use(name, "", package.requires, (), now.agent, "running", 0, None)


def _use(package: Package, functions: tuple[str, ...], state: str, generation: int, since: float | None) -> Use:
    return Use(package.name, package.version, package.requires, functions, "", state, generation, since)


def _functions(name: str, deployment: Deployment | None, packages: Packages) -> dict[Package, tuple[str, ...]]:
    """The functions with the package in their layers, by the package in its version."""
    found: dict[Package, tuple[str, ...]] = {}
    for function, layer in sorted(deployment.layers.items()) if deployment else ():
        for package in packages(layer):
            if package.name == name:
                found[package] = (*found.get(package, ()), function)
    return found


def _versions(name: str, deployment: Deployment, packages: Packages) -> set[str]:
    return {each.version for each in _functions(name, deployment, packages)}


def _first(kept: Sequence[Generation], has: Callable[[Generation], bool]) -> Generation:
    """The first generation of the stretch with it up to now; `kept` ran, newest first."""
    first = kept[0]
    for each in kept:
        if not has(each):
            break
        first = each
    return first


def _began(session: Session, device: str, generation: Generation) -> float:
    """The time of the device's record of its commit; in its absence, the time of the deployment.

    A wrong clock of the board counts within limits: after the deployment, and before the record's arrival.
    """
    told = f'"generation":{generation.number}'
    rows = select(RecordRow).where(RecordRow.device == device, RecordRow.stream == "events", RecordRow.kind == "update")
    for row in session.scalars(rows.where(RecordRow.body.contains(told, autoescape=True)).order_by(RecordRow.id)):
        body = json.loads(row.body)
        if (body.get("generation"), body.get("state")) == (generation.number, "COMMITTED"):
            return min(max(row.time, generation.created), max(row.received, generation.created))
    return generation.created


def _device(session: Session, row: DeviceRow) -> Json:
    credential = session.get(CredentialRow, row.name)
    revoked = credential is not None and credential.revoked
    return {"device": row.name, "online": row.online, "last_seen": row.last_seen, "revoked": revoked}


def _lookup(registry: Registry) -> Packages:
    """Looks up an artifact's packages, once for all its devices."""
    known: dict[str, Sequence[Package]] = {}

    def packages(ref: ArtifactRef) -> Sequence[Package]:
        if ref.digest not in known:
            releases = registry.by_digests({ref.digest})
            known[ref.digest] = [each for release in releases for each in inventory.packages(release)]
        return known[ref.digest]

    return packages
