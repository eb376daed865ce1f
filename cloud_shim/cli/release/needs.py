"""What a function needs, from the file that says it: requirements.txt, else pylock.toml, else pyproject.toml.

The first of them counts alone. uv.lock holds the packages of pyproject.toml to its versions and digests; pylock.toml is
a whole choice, made elsewhere. Reading requirements.txt is requirements.py's; choosing is wheels.py's.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cloud_shim.cli.release import foreign_lock
from cloud_shim.cli.release.requirements import Wanted, by_name_only, read
from cloud_shim.cli.release.target import Platform
from cloud_shim.cli.release.wheels import Wheel
from device.errors import RejectedError, UsageError
from device.protocol.errors import ProtocolError
from device.protocol.fields import items, table
from device.protocol.layer import LOCK_FILE, PROJECT, REQUIREMENTS

UV_LOCK = "uv.lock"
FILES = (REQUIREMENTS, LOCK_FILE, PROJECT, UV_LOCK)
_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Held:
    """The versions and digests of another tool's lock, by package; a package it lacks is not taken."""

    file: str
    versions: Mapping[str, str]
    digests: Mapping[str, frozenset[str]]

    def check(self, wheels: Sequence[Wheel]) -> None:
        """Raise RejectedError for a wheel that the lock does not have."""
        for each in wheels:
            # One that was built here is judged by its source.
            if (each.source or each).sha256 not in self.digests.get(each.name, ()):
                raise RejectedError(
                    f"{self.file} does not hold {each.name} {each.version}",
                    f"its file {each.file} is not in the lock",
                    f"Bring {self.file} up to date (`uv lock`), or delete it",
                )


@dataclass(frozen=True)
class Needs:
    """The requirements and their `file`, the lock that holds them, or the `wheels` where the file is a choice."""

    file: str
    wanted: tuple[Wanted, ...] = ()
    held: Held | None = None
    wheels: tuple[Wheel, ...] | None = None

    def limits(self, brought: Mapping[str, str]) -> list[str]:
        """The lock's versions as limits for pip; the board's own packages have the board's versions."""
        if self.held is None:
            return []
        versions = sorted(self.held.versions.items())
        return [f"{name}=={version}" for name, version in versions if name not in brought]


def of(folder: Path, platform: Platform) -> Needs | None:
    """The needs of the function in `folder` on this platform, None for none.

    Raises RejectedError for a line or a dependency that is refused, UsageError for a file that cannot be read.
    """
    if (folder / REQUIREMENTS).is_file():
        wanted = read(folder / REQUIREMENTS)
        return Needs(REQUIREMENTS, wanted) if wanted else None
    if (folder / LOCK_FILE).is_file():
        wheels = foreign_lock.wheels(_table(folder / LOCK_FILE), platform)
        return Needs(LOCK_FILE, wheels=wheels) if wheels else None
    return _project(folder, platform) if (folder / PROJECT).is_file() else None


def _project(folder: Path, platform: Platform) -> Needs | None:
    try:
        project = table(_table(folder / PROJECT).get("project", {}), "project")
        dynamic, listed = (items(project.get(key, []), f"project.{key}") for key in ("dynamic", "dependencies"))
    except ProtocolError as error:
        raise UsageError(f"{PROJECT} is not understood", str(error)) from None
    if "dependencies" in dynamic:
        raise RejectedError(
            f"{PROJECT} does not say what the function needs",
            "its dependencies are dynamic: a program makes them up",
            f"List them under [project], or write {REQUIREMENTS}",
        )
    wanted = tuple(_wanted(each) for each in listed)
    if not wanted:
        return None
    lock = folder / UV_LOCK
    return Needs(PROJECT, wanted, _held(_table(lock), platform) if lock.is_file() else None)


def _wanted(line: object) -> Wanted:
    try:
        return Wanted(by_name_only(Requirement(str(line)), PROJECT))
    except InvalidRequirement as error:
        why = str(error).splitlines()[0]
        raise RejectedError(f"{PROJECT} names the dependency {str(line)[:80]!r}, which is none", why) from None


def _held(lock: Mapping[str, Any], platform: Platform) -> Held:
    versions: dict[str, str] = {}
    digests: dict[str, frozenset[str]] = {}
    try:
        for each in lock.get("package", ()):
            markers = each.get("resolution-markers", ())
            # Another package's place is not ours to fetch from: its digest is then missing here.
            if "registry" not in each.get("source", {}) or not (not markers or _any(markers, platform)):
                continue
            name = canonicalize_name(each["name"])
            versions[name] = str(Version(each["version"]))
            files = [*each.get("wheels", ()), *([each["sdist"]] if "sdist" in each else [])]
            digests[name] = frozenset(str(file["hash"]).removeprefix("sha256:") for file in files)
    except (KeyError, TypeError, AttributeError, InvalidVersion) as error:
        raise UsageError(f"{UV_LOCK} is not understood", f"{type(error).__name__}: {error}", "`uv lock`") from None
    return Held(UV_LOCK, versions, digests)


def _any(markers: Sequence[str], platform: Platform) -> bool:
    # A marker is read as a requirement's: `packaging` judges both alike.
    return any(platform.takes(Requirement(f"x ; {each}").marker) for each in markers)


def _table(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ValueError(f"it is longer than {_MAX_BYTES >> 20} MiB")
        return tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{file.name} cannot be read", error.strerror or str(error)) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file.name} is not TOML", str(error)) from None
