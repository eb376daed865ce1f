"""Writes the bill of materials of a release or a device, as CycloneDX 1.6 JSON (ECMA-424).

Pure: the same parts give the same bytes. fleet/composition.py finds the parts.
"""

# The classes of cyclonedx are made by decorators whose types pyright takes for the classes' own.
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false, reportUnknownMemberType=false

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from cloud_shim.releases.inventory import Package

_TYPES = {"device": ComponentType.DEVICE, "model": ComponentType.MACHINE_LEARNING_MODEL, "layer": ComponentType.LIBRARY}


@dataclass(frozen=True)
class Part:
    """A release or a device, made of `packages` and of other `parts`.

    `kind` is "device", "agent", "function", "model" or "layer"; `sha256` is the artifact's, "" for a part without one.
    """

    kind: str
    name: str
    version: str
    sha256: str = ""
    packages: tuple[Package, ...] = ()
    parts: tuple["Part", ...] = ()


def document(subject: Part, made: float, indent: int | None = None) -> str:
    """The bill of materials of `subject`, dated `made` (seconds since 1970).

    Its serial number follows from its content.
    """
    own: dict[Part, Component] = {each: _component(each) for each in _walk(subject)}
    packages = {each: _package(each) for part in own for each in part.packages}
    bom = Bom(serial_number=_serial(subject, made))
    bom.metadata.timestamp = datetime.fromtimestamp(int(made), UTC)
    bom.metadata.component = own[subject]
    bom.components.update(component for part, component in own.items() if part != subject)
    bom.components.update(packages.values())
    for part, component in own.items():
        bom.register_dependency(
            component, [*(own[each] for each in part.parts), *(packages[each] for each in part.packages)]
        )
    return JsonV1Dot6(bom).output_as_string(indent=indent)


def _walk(part: Part) -> Iterator[Part]:
    yield part
    for each in part.parts:
        yield from _walk(each)


def _serial(subject: Part, made: float) -> uuid.UUID:
    """The serial number of this content."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{subject!r} {int(made)}")


def _component(part: Part) -> Component:
    """A component of ours."""
    return Component(
        name=part.name,
        version=part.version or None,
        type=_TYPES.get(part.kind, ComponentType.APPLICATION),
        bom_ref=f"{part.kind}/{part.name}@{part.version}",
        hashes=_hashes(part.sha256),
        properties=[Property(name="lamplight:kind", value=part.kind)],
    )


def _package(each: Package) -> Component:
    purl = PackageURL("pypi", name=each.name, version=each.version or None)
    licences = [LicenseFactory().make_from_string(each.licence)] if each.licence else []
    # The same version has another wheel for another platform, and the same wheel may come from a mirror.
    reference = "#".join(filter(None, (str(purl), each.sha256[:16], each.requires, each.origin)))
    return Component(
        name=each.name,
        version=each.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=reference,
        purl=purl,
        hashes=_hashes(each.sha256),
        licenses=licences,
        external_references=_origin(each.origin),
        properties=[Property(name="lamplight:requires", value=each.requires)] if each.requires else [],
    )


def _origin(address: str) -> Sequence[ExternalReference]:
    return [ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(address))] if address else []


def _hashes(sha256: str) -> Sequence[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else []
