"""The Python of this process, and the libraries it finds."""

import platform
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from device import version
from device.artifact import agent
from device.artifact.agent import AgentManifest
from device.doctor.check import Finding, fail, ok, skip
from device.errors import RejectedError
from device.protocol.deployment import AGENT_FILE

OLDEST = (3, 11)


def python(here: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """The version of Python."""
    told = f"Python {platform.python_version()} on {platform.machine()}"
    if here < OLDEST:
        return fail(
            f"{told}; the agent needs 3.11", "Use a system with Python 3.11 or newer (Debian 12, Pi OS bookworm)"
        )
    return ok(told)


def required() -> Finding:
    """Whether the agent's required libraries are installed, in fitting versions."""
    wanted = _wanted()
    if wanted is None:
        return skip("the agent runs from a bare checkout, which does not say what it needs")
    try:
        agent.check(wanted)
    except RejectedError as error:
        return fail(error.why, "install the agent again: `python flash.py ssh USER@HOST`, or `make setup` in a clone")
    return ok(f"all {len(wanted.requires)} are there")


def inference() -> Finding:
    """Whether models can be run here."""
    if find_spec("onnxruntime") is None:
        return skip(
            "onnxruntime is not installed: functions run, models do not",
            "`pip install onnxruntime numpy` beside the agent; there is none for 32-bit ARM and MIPS",
        )
    return ok(f"onnxruntime {metadata.version('onnxruntime')}")


def _wanted() -> AgentManifest | None:
    """The running version's requirements: a deployed one's from its runtime.toml, an installed one's from pip."""
    here = Path(version.__file__).parents[1]
    if (here / AGENT_FILE).is_file():
        return agent.read(here)
    try:
        told = metadata.requires("lamplight") or []
    except metadata.PackageNotFoundError:
        return None
    return AgentManifest("lamplight", version.this(), SpecifierSet(), tuple(map(Requirement, told)))
