"""The agent's code and libraries for another processor, in one folder.

Where PyPI has wheels for the machine, it is what `flash.py` would put on a card. Elsewhere the libraries in pure Python
are those that this machine has installed; compiled ones are left to Debian.
"""

import io
import shutil
import tarfile
from importlib import metadata
from pathlib import Path

import boards
from cloud_shim.cli.release import agent_release
from flashing import agent
from tests import installed


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
    for distribution in installed.projects(map(str, manifest.requires), _is_pure).values():
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (into / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), into / file)


def _is_pure(distribution: metadata.Distribution) -> bool:
    return "Root-Is-Purelib: true" in (distribution.read_text("WHEEL") or "")
