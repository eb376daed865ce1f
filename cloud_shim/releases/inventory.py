"""Lists a release's packages by its own manifest, with licences and origins from the layer's files.

A layer brings packages, each in one version. The agent asks for libraries, each in a range of versions; the board
reports its own. Functions and models bring none: code copied into a function's folder stays unseen.
"""

import json
import re
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, cast

from packaging.pylock import Package as LockedPackage
from packaging.pylock import Pylock, PylockValidationError
from packaging.requirements import Requirement

from cloud_shim.releases.release import Release
from device.libraries import normalised
from device.protocol.layer import LOCK_FILE

_METADATA = 1 << 20  # bytes of a package's metadata that are read
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)
_CLASSIFIER = "License :: "


@dataclass(frozen=True)
class Package:
    """One package by its normalised name. `version` is "" where only the range `requires` is known.

    `sha256` is the digest of its wheel, `origin` the wheel's address, `licence` comes from its metadata; each is ""
    while unknown.
    """

    name: str
    version: str = ""
    requires: str = ""
    sha256: str = ""
    licence: str = ""
    origin: str = ""


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


def described(found: tuple[Package, ...], artifact: Path) -> tuple[Package, ...]:
    """The same with licences and origins from a layer's tar. A layer from before the origins has none."""
    licences = {key: licence for key, licence in _licences(artifact) if licence}
    origins = _origins(artifact)
    return tuple(
        replace(each, licence=licences.get((each.name, each.version), ""), origin=origins.get(each.sha256, ""))
        for each in found
    )


def _required(wanted: Requirement) -> Package:
    return Package(normalised(wanted.name), requires=str(wanted.specifier))


def _licences(artifact: Path) -> Iterator[tuple[tuple[str, str], str]]:
    with tarfile.open(artifact) as tar:
        for member in tar:
            if member.name.endswith(".dist-info/METADATA") and (file := tar.extractfile(member)) is not None:
                about = BytesHeaderParser().parsebytes(file.read(_METADATA))
                yield (normalised(str(about["Name"])), str(about["Version"])), licence(about)


def _origins(artifact: Path) -> dict[str, str]:
    """The addresses in a layer's pylock.toml, by the wheels' digests; {} where it has none, or it is no lock."""
    with tarfile.open(artifact) as tar:
        try:
            file = tar.extractfile(LOCK_FILE)
            found = Pylock.from_dict(tomllib.loads(file.read(_METADATA).decode())) if file else None
        except (KeyError, ValueError, RecursionError, PylockValidationError):
            return {}
    files = [each for package in found.packages for each in _addressed(package)] if found else []
    return {digest: url for digest, url in files if url and _ADDRESS.fullmatch(url)}


def _addressed(package: LockedPackage) -> Iterator[tuple[str, str | None]]:
    """The digest of each wheel, and its address; of one that was built (cli/release/lock.py), that of its source."""
    for each in package.wheels or ():
        yield each.hashes.get("sha256", ""), each.url
    built: object = (package.tool or {}).get("lamplight")
    if package.sdist is not None and isinstance(built, dict):
        yield str(cast("dict[str, object]", built).get("sha256", "")), package.sdist.url


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
