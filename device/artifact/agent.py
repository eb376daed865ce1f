"""`runtime.toml`: the name of a version of the agent, and its requirements.

It lies beside the packages `device`, `boards` and `lamplight` in the artifact. `read` checks its form wherever it is
asked, `check` compares it with the Python and the libraries of this machine: a deployment brings the agent's own code
only. It never looks at the code.
"""

import platform
import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from device.errors import BadArtifactError, RejectedError
from device.protocol.deployment import AGENT, AGENT_FILE
from device.protocol.errors import ProtocolError
from device.protocol.fields import items, only, text

PACKAGES = ("boards", "device")
# Functions import it; earlier versions lack it.
FACADE = "lamplight"
_MAX = 64 * 1024
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,63}", re.ASCII)


@dataclass(frozen=True)
class AgentManifest:
    """A version of the agent, the Python it needs, and the libraries, as PEP 508 writes them."""

    name: str
    version: str
    python: SpecifierSet
    requires: tuple[Requirement, ...]


def read(folder: Path) -> AgentManifest:
    """The manifest of the version unpacked in `folder`; raises BadArtifactError for any other folder."""
    for package in PACKAGES:
        if not (folder / package / "__init__.py").is_file():
            raise BadArtifactError(f"The agent has no package {package!r}", "", "Pack it with `lamplight upgrade`")
    try:
        with (folder / AGENT_FILE).open("rb") as file:
            return parse(file.read(_MAX).decode())
    except (OSError, UnicodeDecodeError) as error:
        raise BadArtifactError(f"{AGENT_FILE} cannot be read", str(error)) from None


def parse(source: str) -> AgentManifest:
    """The manifest in the text of a `runtime.toml`; raises BadArtifactError naming the fault."""
    try:
        fields = tomllib.loads(source)
        only(fields, ("name", "version", "python", "requires"), AGENT_FILE)
        if text(fields, "name", AGENT_FILE) != AGENT:
            raise ProtocolError(f"{AGENT_FILE}.name: it is not {AGENT!r}")
        if not _VERSION.fullmatch(text(fields, "version", AGENT_FILE)):
            raise ProtocolError(f"{AGENT_FILE}.version: {fields['version']!r} is no version")
        listed = [
            text({"requires": each}, "requires", AGENT_FILE) for each in items(fields.get("requires"), AGENT_FILE)
        ]
        python = SpecifierSet(text(fields, "python", AGENT_FILE))
        requires = tuple(Requirement(each) for each in listed)
        return AgentManifest(AGENT, text(fields, "version", AGENT_FILE), python, requires)
    except (ProtocolError, InvalidRequirement, InvalidSpecifier) as error:
        raise BadArtifactError(str(error)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadArtifactError(f"{AGENT_FILE} is not TOML", str(error)) from None


def check(wanted: AgentManifest) -> None:
    """Raise RejectedError when this Python or the libraries installed here fall short of its needs."""
    here = platform.python_version()
    if not wanted.python.contains(here, prereleases=True):
        raise RejectedError(
            f"Agent {wanted.version} cannot run on this board",
            f"it needs Python {wanted.python}; here is {here}",
            "Install that Python on the board first",
        )
    lacking = [told for each in wanted.requires if (told := _lacking(each))]
    if lacking:
        raise RejectedError(
            f"Agent {wanted.version} cannot run on this board",
            f"it needs {'; '.join(lacking)}",
            "Install that on the board first, where Lamplight was installed",
        )


def _lacking(each: Requirement) -> str:
    """The fault of the installed library for one requirement, or ""."""
    if each.marker is not None and not each.marker.evaluate({"extra": ""}):
        return ""
    try:
        found = version(each.name)
    except PackageNotFoundError:
        return f"{each.name}{each.specifier}, which is not installed"
    if each.specifier.contains(found, prereleases=True):
        return ""
    return f"{each.name}{each.specifier}; {found} is installed"
