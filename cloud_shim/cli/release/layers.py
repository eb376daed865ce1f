"""From a function's requirements.txt to a layer: its dependencies, unpacked, for one platform and one Python.

pip resolves and fetches wheels for the *board's* platform, on this machine. Only ready wheels are taken: a package
without one is an error here, before the sending. The packages of every board's agent (Blinka and its needs) stay out.
Each wheel's digest is recorded in layer.toml. It packs; pushing.py sends.
"""

import contextlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.artifact import archive
from device.errors import LamplightError, OfflineError, RejectedError
from device.protocol.layer import LAYER_FILE, REQUIREMENTS, SITE
from device.protocol.reported import Reported

# The agent's needs, by pyproject.toml, and the further ones of an agent on a board for models.
_AGENT = (
    *("adafruit-blinka", "adafruit-circuitpython-tsl2561", "cronsim", "gpiod", "packaging", "paho-mqtt"),
    *("securesystemslib", "tuf", "tzdata", "zstandard"),
)
_MODELS = ("numpy", "onnxruntime")
# The oldest glibc of today's wheels (PEP 599), and the names for older ones.
_OLDEST_GLIBC = 5
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_OFFLINE = re.compile(
    r"Connection(Error| refused| broken)|NewConnectionError|Temporary failure in name|timed out", re.I
)


@dataclass(frozen=True)
class Platform:
    """A board as wheels see it: "aarch64", (3, 11), and the minor version of its glibc 2."""

    machine: str
    python: tuple[int, int]
    glibc: int

    def tags(self) -> list[str]:
        """The platform tags of wheels fit for the board, the most specific first (PEP 600)."""
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, _OLDEST_GLIBC - 1, -1)]
        legacy = [f"{name}_{self.machine}" for minor, name in _LEGACY.items() if minor <= self.glibc]
        return [*tags, *legacy, f"linux_{self.machine}"]

    def __str__(self) -> str:
        """For a person."""
        return f"{self.machine} with Python {self.python[0]}.{self.python[1]}"


@dataclass(frozen=True)
class Wheel:
    """One resolved package."""

    name: str
    version: str
    sha256: str

    def line(self) -> str:
        """As pip takes it, with its digest."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def platform(report: Reported | None) -> Platform:
    """The platform in a device's report.

    Raises OfflineError before the first report, RejectedError when its Python's version is unreadable.
    """
    told = report.platform if report else None
    if told is None:
        raise OfflineError(
            "It is not known which wheels this board takes", "it has not reported yet", "Try again when it is online"
        )
    if not re.fullmatch(r"3\.[0-9]{1,3}", told.python, re.ASCII):
        raise RejectedError("It is not known which wheels this board takes", f"its Python is {told.python[:40]!r}")
    return Platform(told.machine, (3, int(told.python[2:])), told.glibc)


def build(folder: Path, target: Platform, models: bool) -> bytes | None:
    """The packed layer for the function in `folder`; None when the function needs no other packages.

    `models` says whether the board has the libraries for models. Raises RejectedError when a wheel for `target` is
    missing, OfflineError when the package index is out of reach.
    """
    requirements = folder / REQUIREMENTS
    if not requirements.is_file():
        return None
    brought = provided(models)
    with tempfile.TemporaryDirectory(prefix="lamplight-layer-") as temporary:
        work = Path(temporary)
        wheels = [each for each in _resolve(requirements, target, brought, work) if each.name not in brought]
        if not wheels:
            return None
        layer = work / "layer"
        _install(wheels, target, layer / SITE, work)
        (layer / LAYER_FILE).write_text(_manifest(wheels, target), encoding="utf-8")
        return archive.pack(layer)


def provided(models: bool) -> dict[str, str]:
    """The packages of a board's agent, and their versions here, by normalized name (PEP 503)."""
    found: dict[str, str] = {}
    waiting = [*_AGENT, *(_MODELS if models else ())]
    while waiting:
        name = waiting.pop()
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            if name not in found:
                found[name] = importlib.metadata.version(name)
                waiting.extend(_required(name))
    return found


def _required(name: str) -> Iterator[str]:
    for each in importlib.metadata.requires(name) or ():
        requirement, _, marker = each.partition(";")
        if "extra" not in marker:
            yield normalized(re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0])


def normalized(name: str) -> str:
    """A package's name in the one form for all its spellings (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _resolve(requirements: Path, target: Platform, brought: Mapping[str, str], work: Path) -> list[Wheel]:
    """The wheels for the requirements, in the order of their names."""
    constraints, report = work / "constraints.txt", work / "report.json"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in brought.items()))
    options = ["--dry-run", "--ignore-installed", "--report", str(report), "-c", str(constraints)]
    _pip([*options, *_for(target, work / "none"), "-r", str(requirements)], target)
    chosen = [_wheel(each) for each in json.loads(report.read_text())["install"]]
    return sorted(chosen, key=lambda each: each.name)


def _wheel(chosen: dict[str, Any]) -> Wheel:
    about, source = chosen["metadata"], chosen["download_info"]
    return Wheel(normalized(about["name"]), about["version"], source["archive_info"]["hashes"]["sha256"])


def _install(wheels: Sequence[Wheel], target: Platform, site: Path, work: Path) -> None:
    """Unpack exactly these wheels, checked by their digests, below `site`."""
    pinned = work / "pinned.txt"
    pinned.write_text("".join(f"{each.line()}\n" for each in wheels))
    _pip(["--no-deps", "--require-hashes", *_for(target, site), "-r", str(pinned)], target)
    # Commands for a shell; a worker has none.
    shutil.rmtree(site / "bin", ignore_errors=True)
    # These name this machine's installer and time; they are no part of the released packages.
    for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
        for file in site.glob(f"*.dist-info/{name}"):
            file.unlink()


def _for(target: Platform, folder: Path) -> list[str]:
    tags = [part for tag in target.tags() for part in ("--platform", tag)]
    python = f"{target.python[0]}.{target.python[1]}"
    return [*tags, "--python-version", python, "--implementation", "cp", "--only-binary", ":all:", "-t", str(folder)]


def _pip(options: list[str], target: Platform) -> None:
    command = [sys.executable, "-m", "pip", "install", "--no-compile", "--no-input", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--quiet", *options], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    told = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    why = "; ".join(told) or done.stderr.strip()[-500:]
    if _OFFLINE.search(done.stderr):
        raise OfflineError("The package index cannot be reached", why, "Check the network, or pip's configuration")
    if "No matching distribution" in why or "ResolutionImpossible" in why:
        raise RejectedError(
            f"{REQUIREMENTS} cannot be met for {target}",
            f"only wheels are taken, for nothing is built on a board: {why}",
            "Choose a version that has a wheel for this platform, or a package in pure Python",
        )
    raise LamplightError(f"{REQUIREMENTS} cannot be resolved for {target}", why)


def _manifest(wheels: Sequence[Wheel], target: Platform) -> str:
    lines = [
        "[platform]",
        f'machine = "{target.machine}"',
        f'python = "{target.python[0]}.{target.python[1]}"',
        f"glibc = {target.glibc}",
    ]
    for each in wheels:
        lines += [
            "",
            "[[packages]]",
            f'name = "{each.name}"',
            f'version = "{each.version}"',
            f'sha256 = "{each.sha256}"',
        ]
    return "\n".join(lines) + "\n"
