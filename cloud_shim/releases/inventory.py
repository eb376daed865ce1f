"""Lists a release's packages by its own manifest, with licences from the packages' metadata.

A layer brings packages, each in one version. The agent asks for libraries, each in a range of versions; the board
reports its own. Functions and models bring none: code copied into a function's folder stays unseen.
"""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from cloud_shim.releases.release import Release
from device.libraries import normalised

_METADATA = 1 << 20  # bytes of a package's metadata that are read
_CLASSIFIER = "License :: "


@dataclass(frozen=True)
class Package:
    """One package by its normalised name. `version` is "" where only the range `requires` is known.

    `sha256` is the digest of its wheel, `licence` comes from its metadata; each is "" while unknown.
    """

    name: str
    version: str = ""
    requires: str = ""
    sha256: str = ""
    licence: str = ""


def packages(release: Release) -> tuple[Package, ...]:
    """The packages in the release's manifest, sorted."""
    manifest: dict[str, Any] = json.loads(release.manifest_json)
    if release.kind == "layer":
        found = [Package(normalised(p["name"]), p["version"], sha256=p["sha256"]) for p in manifest["packages"]]
    elif release.kind == "agent":
        found = [_required(Requirement(each)) for each in manifest["requires"]]
    else:
        found = []
    return tuple(sorted(found, key=lambda each: (each.name, each.version)))


def agent_version(release: Release) -> str:
    """The version of the agent in the release, such as "0.2.0"; "" for another kind of release."""
    return str(json.loads(release.manifest_json)["version"]) if release.kind == "agent" else ""


def licensed(found: tuple[Package, ...], artifact: Path) -> tuple[Package, ...]:
    """The same with the licences from a layer's tar."""
    licences = {key: licence for key, licence in _licences(artifact) if licence}
    return tuple(replace(each, licence=licences.get((each.name, each.version), "")) for each in found)


def _required(wanted: Requirement) -> Package:
    return Package(normalised(wanted.name), requires=str(wanted.specifier))


def _licences(artifact: Path) -> Iterator[tuple[tuple[str, str], str]]:
    with tarfile.open(artifact) as tar:
        for member in tar:
            if member.name.endswith(".dist-info/METADATA") and (file := tar.extractfile(member)) is not None:
                about = BytesHeaderParser().parsebytes(file.read(_METADATA))
                yield (normalised(str(about["Name"])), str(about["Version"])), licence(about)


def licence(about: "Message[str, str]") -> str:
    """The licence in a package's metadata: an SPDX expression where there is one, else a name; or "".

    The old field `License` may hold a whole licence's text; then the classifiers are taken.
    """
    if expression := about["License-Expression"]:
        return str(expression).strip()
    named = str(about["License"] or "").strip()
    if named and "\n" not in named and len(named) <= 100 and named.upper() != "UNKNOWN":
        return named
    told = [str(each) for each in about.get_all("Classifier") or () if str(each).startswith(_CLASSIFIER)]
    return ", ".join(each.rpartition(" :: ")[2] for each in told)
