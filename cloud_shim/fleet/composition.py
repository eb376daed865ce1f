"""Finds the parts of a release or a device for its bill of materials (releases/sbom.py).

A function's packages lie in a layer, chosen by each deployment. So a function's parts are all layers of its
deployments.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud_shim.database import Database
from cloud_shim.fleet import running
from cloud_shim.fleet.running import Running
from cloud_shim.releases import inventory, sbom
from cloud_shim.releases.inventory import Package
from cloud_shim.releases.registry import Registry
from cloud_shim.releases.release import Release
from cloud_shim.releases.sbom import Part
from cloud_shim.tables import DeploymentRow, DeviceRow, UseRow
from device.errors import NotFoundError
from device.protocol import deployment as documents
from device.protocol.deployment import ArtifactRef, Deployment


class Composition:
    """Looks up the parts of one fleet's releases and devices."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    def of_release(self, release: Release) -> str:
        """The release's bill of materials, dated as the release is."""
        layers: list[ArtifactRef] = []
        if release.kind == "function":
            with self._database.read() as session:
                layers = _layers(session, release)
        return sbom.document(self._part(release, self._parts(layers)), release.created)

    def of_device(self, name: str) -> str:
        """The device's bill of materials, dated as its present deployment; NotFoundError for an unknown device.

        The device reports the agent's libraries; for an older agent they are the ranges in its release.
        """
        with self._database.read() as session:
            row = session.get(DeviceRow, name)
            if row is None:
                raise NotFoundError(f"There is no device {name!r}", "", "`lamplight devices` lists them")
            now = running.present(session, row, running.generations(session, name))
        deployment = now.deployment
        parts = [self._agent(now), *(self._function_parts(deployment) if deployment else ())]
        return sbom.document(Part("device", name, str(now.generation), parts=tuple(parts)), now.created)

    def _function_parts(self, deployment: Deployment) -> list[Part]:
        functions = self._registry.by_digests({ref.digest for ref in deployment.functions.values()})
        with_layers = [
            self._part(each, self._parts([deployment.layers[each.name]] if each.name in deployment.layers else []))
            for each in functions
        ]
        return [*with_layers, *self._parts(list(deployment.models.values()))]

    def _agent(self, now: Running) -> Part:
        wanted = now.deployment.agent if now.deployment else None
        (release,) = self._registry.by_digests({wanted.digest}) if wanted else (None,)
        told = tuple(Package(library, str(each["version"])) for library, each in sorted(now.libraries.items()))
        packages = told or (inventory.packages(release) if release else ())
        return Part("agent", documents.AGENT, now.agent, release.sha256 if release else "", packages)

    def _parts(self, refs: list[ArtifactRef]) -> tuple[Part, ...]:
        return tuple(self._part(each, ()) for each in self._registry.by_digests({ref.digest for ref in refs}))

    def _part(self, release: Release, parts: tuple[Part, ...]) -> Part:
        found = inventory.packages(release)
        if release.kind == "layer":
            found = inventory.described(found, self._registry.path(release))
        version = inventory.agent_version(release) or str(release.version)
        return Part(release.kind, release.name, version, release.sha256, found, parts)


def _layers(session: Session, release: Release) -> list[ArtifactRef]:
    """The layers of all deployments of the function's release."""
    rows = (
        select(DeploymentRow.document)
        .join(UseRow, (UseRow.device == DeploymentRow.device) & (UseRow.generation == DeploymentRow.generation))
        .where(UseRow.sha256 == release.sha256)
    )
    decoded = (documents.decode(document.encode()) for document in session.scalars(rows))
    return [each.layers[release.name] for each in decoded if release.name in each.layers]
