"""Which devices run a package, in which version, by whom, and since when.

`uses` is pure; `find` reads what it needs. The packages are those of the layers in each deployment, as their manifests
list them, and the libraries of the agent, as the device reports them. It does not judge versions.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud_shim.database import CredentialRow, Database, DeviceRow, RecordRow
from cloud_shim.fleet import running
from cloud_shim.fleet.running import Generation, Running
from cloud_shim.releases import inventory
from cloud_shim.releases.inventory import Package
from cloud_shim.releases.registry import Registry
from device.libraries import normalised
from device.protocol.deployment import ArtifactRef, Deployment

Json = dict[str, object]
Packages = Callable[[ArtifactRef], Sequence[Package]]


@dataclass(frozen=True)
class Use:
    """One package in one version on one device. `version` is "" where only `requires`, a range, is known.

    `functions` use it from their layer; for the agent's own library there are none and `agent` is its version.
    `state` is "running" or "asked": then the device is to get it. `since` is when the device began to run that version,
    without a break up to now, None where nobody knows; `generation` is the deployment that brought it, 0 for none.
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

    `unknown` are the devices whose agent does not say what libraries it has.
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

    `packages` gives what an artifact brings, `began` when a generation came to run.
    """
    present = _functions(name, now.deployment, packages)
    # Those before what runs that were ever kept: one that was reverted ran for its trial only.
    kept = [g for g in known if g.number == now.generation or (g.number < now.generation and g.outcome == "COMMITTED")]
    for package, functions in present.items():
        first = _first(kept, lambda g, p=package: p.version in _versions(name, g.deployment, packages))
        yield _use(package, functions, "running", first.number, began(first))
    yield from _of_agent(name, now, packages)
    asked = known[0] if known and known[0].number > now.generation else None
    if asked and asked.outcome not in ("REVERTED", "REJECTED"):
        for package, functions in _functions(name, asked.deployment, packages).items():
            if package not in present:
                yield _use(package, functions, "asked", asked.number, None)


def _of_agent(name: str, now: Running, packages: Packages) -> Iterator[Use]:
    """The agent's own use. No deployment brings its libraries: they are those that lie on the board."""
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
    """The functions whose layers bring that package, by the package in its version."""
    found: dict[Package, tuple[str, ...]] = {}
    for function, layer in sorted(deployment.layers.items()) if deployment else ():
        for package in packages(layer):
            if package.name == name:
                found[package] = (*found.get(package, ()), function)
    return found


def _versions(name: str, deployment: Deployment, packages: Packages) -> set[str]:
    return {each.version for each in _functions(name, deployment, packages)}


def _first(kept: Sequence[Generation], has: Callable[[Generation], bool]) -> Generation:
    """The first generation of the stretch up to now that `has` it; `kept` is what ran, newest first."""
    first = kept[0]
    for each in kept:
        if not has(each):
            break
        first = each
    return first


def _began(session: Session, device: str, generation: Generation) -> float:
    """When the device says that it kept the generation; without that record, when it was asked to.

    A clock that was never set cannot make it earlier than it was asked for, nor later than its record arrived.
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
    """What an artifact brings, looked up once for all devices that have it."""
    known: dict[str, Sequence[Package]] = {}

    def packages(ref: ArtifactRef) -> Sequence[Package]:
        if ref.digest not in known:
            releases = registry.by_digests({ref.digest})
            known[ref.digest] = [each for release in releases for each in inventory.packages(release)]
        return known[ref.digest]

    return packages
