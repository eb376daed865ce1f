"""Chooses wheels for a board and unpacks them, by pip: one resolution, then exactly its files, by their digests.

Only ready wheels of the configured index are taken, also for the packages that a package needs. It knows nothing of
requirements.txt, locks and layers.
"""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from cloud_shim.cli.release import pip_alone
from cloud_shim.cli.release.pip_process import Pip
from device.errors import LamplightError, OfflineError, RejectedError, UntrustedError

_OFFLINE = re.compile(
    r"Connection(Error| refused| broken)|NewConnectionError|Temporary failure in name|timed out", re.I
)


@dataclass(frozen=True)
class Target:
    """A board as pip sees it: the platform tags it takes, the best first, and its Python, such as "3.11".

    `what` is wanted for it, and `board` is its name; both are for a person.
    """

    what: str
    board: str
    tags: tuple[str, ...]
    python: str


@dataclass(frozen=True)
class Wheel:
    """One chosen file: `url` is its origin without passwords, "" when it lay in a folder."""

    name: str
    version: str
    sha256: str
    file: str = ""
    url: str = ""

    def line(self) -> str:
        """As pip takes it, with its digest."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def resolve(
    lines: Sequence[str], constraints: Sequence[str], target: Target, work: Path, pip: Pip
) -> tuple[Wheel, ...]:
    """The wheels for these requirements, sorted by name; `work` is a folder for its files.

    Raises RejectedError when a wheel is missing or not the index's, OfflineError when the index is out of reach.
    """
    asked, limits, report = (work / name for name in ("asked.txt", "limits.txt", "report.json"))
    asked.write_text("".join(f"{each}\n" for each in lines), "utf-8")
    limits.write_text("".join(f"{each}\n" for each in constraints), "utf-8")
    options = ["--dry-run", "--ignore-installed", "--report", str(report), "-c", str(limits), "-r", str(asked)]
    _install(options, target, work / "none", pip)
    chosen = [_wheel(each, target) for each in json.loads(report.read_text("utf-8"))["install"]]
    return tuple(sorted(chosen, key=lambda each: each.name))


def install(wheels: Sequence[Wheel], target: Target, folder: Path, work: Path, pip: Pip) -> None:
    """Unpack exactly these wheels, checked by their digests, into `folder`.

    Raises UntrustedError when the index has other bytes under the same name, and as `resolve` does.
    """
    pinned = work / "pinned.txt"
    pinned.write_text("".join(f"{each.line()}\n" for each in wheels), "utf-8")
    _install(["--no-deps", "--require-hashes", "-r", str(pinned)], target, folder, pip)
    # Commands for a shell; a worker has none.
    shutil.rmtree(folder / "bin", ignore_errors=True)
    # These name this machine's installer and time; they are no part of the released packages.
    for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
        for file in folder.glob(f"*.dist-info/{name}"):
            file.unlink()


def _install(options: Sequence[str], target: Target, folder: Path, pip: Pip) -> None:
    tags = [part for tag in target.tags for part in ("--platform", tag)]
    python = ["--python-version", target.python, "--implementation", "cp", "--only-binary", ":all:"]
    done = pip(["install", "--no-compile", *tags, *python, "-t", str(folder), *options])
    if done.returncode != 0:
        raise _failure(done.stderr, target)


def _failure(told: str, target: Target) -> LamplightError:
    lines = [line.removeprefix("ERROR: ") for line in told.splitlines() if line.startswith("ERROR: ")]
    why = "; ".join(lines) or told.strip()[-500:]
    if pip_alone.REFUSED in told:
        return RejectedError(
            f"{target.what} cannot be met for {target.board}",
            "a package there, or one that it needs, is to be built on this machine, which would run its code",
            "Choose a version with a wheel in the index",
        )
    if _OFFLINE.search(told):
        return OfflineError("The package index cannot be reached", why, "Check the network, or pip's configuration")
    if "DO NOT MATCH THE HASHES" in told:
        return UntrustedError(
            f"A package for {target.board} is not the file that was chosen before",
            " ".join(told.split())[-500:],
            "Find out why the index has another file under the same version, before you take out its digest",
        )
    if "--require-hashes mode" in told:
        return RejectedError(
            f"{target.what} names no digest for a package that another one needs",
            " ".join(told.split())[-500:],
            "Add that package with its version and --hash, or leave all digests out",
        )
    if "No matching distribution" in why or "ResolutionImpossible" in why:
        # pip says so of a name that the index lacks, and of a package without any wheel for the board.
        spelling = "Check the spelling; or choose" if "(from versions: none)" in why else "Choose"
        return RejectedError(
            f"{target.what} cannot be met for {target.board}",
            f"only wheels are taken, for nothing is built on a board: {why}",
            f"{spelling} a version that has a wheel for this platform, or a package in pure Python",
        )
    return LamplightError(f"{target.what} cannot be resolved for {target.board}", why)


def _wheel(chosen: dict[str, Any], target: Target) -> Wheel:
    """The wheel in an entry of pip's report."""
    about, source = chosen["metadata"], chosen["download_info"]
    name, address = canonicalize_name(about["name"]), str(source["url"])
    parts = urlsplit(address)
    file = unquote(parts.path.rpartition("/")[2])
    digest = source.get("archive_info", {}).get("hashes", {}).get("sha256")
    if chosen.get("is_direct") or not file.endswith(".whl") or not digest:
        raise RejectedError(
            f"{target.what} cannot be met for {target.board}",
            f"{name} comes from {_public(address) or file!r}, and only wheels of the index, with a digest, are taken",
            f"Choose a version of {name}, or of the package that needs it, that the index has",
        )
    return Wheel(name, about["version"], digest, file, _public(address))


def _public(address: str) -> str:
    """An address of the web without name, password, query and fragment; "" for another."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
