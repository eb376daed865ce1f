"""The agent's code and libraries for another processor, in one folder.

Where PyPI has wheels for the machine, it is what `flash.py` would put on a card. Elsewhere the libraries in pure Python
are those that this machine has installed; compiled ones are left to Debian.
"""

import io
import shutil
import tarfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

import boards
from cloud_shim.cli.release import agent_release
from flashing import agent


def from_wheels(board: str, into: Path) -> None:
    """The archive that a card for `board` carries, for Debian bookworm's Python."""
    made = agent.archives(boards.load(board).machine, ["3.11"], lambda _: None)
    with tarfile.open(fileobj=io.BytesIO(made["agent-3.11.tar.gz"])) as archive:
        archive.extractall(into, filter="data")


def in_pure_python(into: Path) -> None:
    """The agent, and of what it needs all that is Python only."""
    data, manifest = agent_release.pack(agent_release.here())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(into, filter="data")
    for distribution in _closure([Requirement(each) for each in map(str, manifest.requires)]):
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (into / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), into / file)


def _closure(needs: list[Requirement]) -> list[metadata.Distribution]:
    """What is installed of `needs` and of what these need, without compiled ones."""
    found: dict[str, metadata.Distribution] = {}
    while needs:
        need = needs.pop()
        if need.name.lower() in found:
            continue
        try:
            distribution = metadata.distribution(need.name)
        except metadata.PackageNotFoundError:
            continue
        if "Root-Is-Purelib: true" in (distribution.read_text("WHEEL") or ""):
            found[need.name.lower()] = distribution
            needs += [each for each in map(Requirement, distribution.requires or []) if _wanted(each)]
    return list(found.values())


def _wanted(need: Requirement) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": ""})
