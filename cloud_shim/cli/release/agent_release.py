"""Packs the agent's own code as a release: the packages `device`, `boards` and `lamplight`, with a `runtime.toml`.

Version and needs come from the project file beside the packages; for installed packages, from the distribution.
The same code gives the same bytes. Sending is left to the caller.
"""

import json
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from device.artifact import agent, archive
from device.artifact.agent import PACKAGES, AgentManifest
from device.errors import BadArtifactError, NotFoundError
from device.protocol.deployment import AGENT, AGENT_FILE

DISTRIBUTION = "lamplight"


def here() -> Path:
    """The folder with the packages of this running program."""
    return Path(agent.__file__).parents[2]


def pack(source: Path) -> tuple[bytes, AgentManifest]:
    """The artifact of the packages in the folder `source`, and its manifest.

    Raises NotFoundError for missing packages, BadArtifactError for packages unfit to travel.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch)
        for package in PACKAGES:
            _copy(source / package, tree / package)
        if (source / agent.FACADE).is_dir():
            _copy(source / agent.FACADE, tree / agent.FACADE)
        (tree / AGENT_FILE).write_text(_manifest(source), "utf-8")
        return archive.pack(tree), agent.read(tree)


def _copy(package: Path, to: Path) -> None:
    if not package.is_dir():
        raise NotFoundError(
            f"There is no folder {package}", "", "--source with a folder that has `device` and `boards`"
        )
    # Without modes: a launcher of before 0.2, which no deployment replaces, computes digests without an x bit.
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(package, to, symlinks=True, ignore=ignored, copy_function=shutil.copyfile)


def _manifest(source: Path) -> str:
    version, python, requires = _project(source / "pyproject.toml") or _distribution(source)
    # JSON's strings and lists of them are TOML's.
    return (
        f'name = "{AGENT}"\nversion = {json.dumps(version)}\npython = {json.dumps(python)}\n'
        f"requires = {json.dumps(sorted(requires))}\n"
    )


def _project(file: Path) -> tuple[str, str, Sequence[str]] | None:
    if not file.is_file():
        return None
    try:
        project = tomllib.loads(file.read_text("utf-8"))["project"]
        return project["version"], project["requires-python"], project["dependencies"]
    except (ValueError, KeyError) as error:
        raise BadArtifactError(f"{file} does not say what the agent needs", str(error)) from None


def _distribution(source: Path) -> tuple[str, str, Sequence[str]]:
    try:
        found = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise NotFoundError(
            f"Nothing says what version of the agent {source} has",
            "there is no pyproject.toml, and Lamplight is not installed",
        ) from None
    requires = [each for each in found.requires or [] if "extra ==" not in each]
    return found.version, found.metadata["Requires-Python"], requires
