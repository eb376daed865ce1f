"""Which version of the agent this is, and which others lie on the board, by their names for people.

A deployed version has its `runtime.toml` beside the packages; an installed one has its distribution's metadata. The
launcher chooses the version to run.
"""

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

from device.launcher.ledger import BUILT_IN
from device.launcher.line import Told
from device.protocol.deployment import AGENT_FILE
from device.protocol.reported import ReportedAgent

# The name of a version without a name: a bare checkout.
UNKNOWN = "0"


class Versions:
    """The versions below `folder`, and the built-in one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def told(self, told: Told) -> ReportedAgent:
        """The launcher's account, with the versions' names."""
        previous = "" if told.fallback is None else self._name(told.fallback)
        return ReportedAgent(this(), told.running, told.trial, previous, told.lost, told.safe)

    def _name(self, version: str) -> str:
        return built_in() if version == BUILT_IN else _of_folder(self._folder / version)


@cache
def this() -> str:
    """The version of this code."""
    here = Path(__file__).parents[1]
    return _of_folder(here) if (here / AGENT_FILE).is_file() else built_in()


@cache
def built_in() -> str:
    """The version installed with the board; UNKNOWN when it runs from a bare checkout."""
    try:
        return metadata.version("lamplight")
    except metadata.PackageNotFoundError:
        return UNKNOWN


@cache
def _of_folder(folder: Path) -> str:
    try:
        return str(tomllib.loads((folder / AGENT_FILE).read_text())["version"])
    except (OSError, ValueError, KeyError):
        return UNKNOWN
