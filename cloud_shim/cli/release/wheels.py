"""Chooses wheels for a board and fetches them, by pip: one resolution, then exactly its files, by their digests.

Only ready wheels of the configured index are taken, also for the packages that a package needs. It knows nothing of
requirements.txt, locks and layers.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from cloud_shim.cli.release import pip_alone, pip_log
from cloud_shim.cli.release.brought import stand_ins
from cloud_shim.cli.release.pip_log import Passed
from cloud_shim.cli.release.pip_process import Pip
from cloud_shim.cli.release.target import Platform
from device.errors import LamplightError, OfflineError, RejectedError, UntrustedError

_OFFLINE = re.compile(
    r"Connection(Error| refused| broken)|NewConnectionError|Temporary failure in name|timed out", re.I
)
_WHEELS = ("--only-binary", ":all:")
# How pip's report of a conflict begins a line on a constraint.
_LIMIT = "The user requested (constraint) "


@dataclass(frozen=True)
class Target:
    """A board, and what is wanted for it; `what` and `board` are for a person."""

    what: str
    board: str
    platform: Platform


@dataclass(frozen=True)
class Source:
    """The source distribution that a wheel was built from here; `url` as a wheel's."""

    file: str
    sha256: str
    url: str = ""


@dataclass(frozen=True)
class Wheel:
    """One chosen file: `url` is its origin without passwords, "" when it lay in a folder.

    `source` is set for one that was built here.
    """

    name: str
    version: str
    sha256: str
    file: str = ""
    url: str = ""
    source: Source | None = None

    def line(self) -> str:
        """As pip takes it, with its digest."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


@dataclass(frozen=True)
class Chosen:
    """The wheels of a resolution, sorted by name; the packages that the board meets, of those that are needed.

    `passed` has of each package the newest version without a wheel for the board.
    """

    wheels: tuple[Wheel, ...]
    met: tuple[str, ...]
    passed: Mapping[str, Passed]


@dataclass(frozen=True)
class Failed:
    """A resolution without an answer: the error, and the requirements that a source distribution may meet.

    `bare` is the first package of these without a wheel for any system: it may be in pure Python; "" for none.
    """

    error: LamplightError
    buildable: Sequence[Requirement]
    bare: str


@dataclass(frozen=True)
class Question:
    """Requirements, as lines for pip, within the `limits`.

    `brought` are the packages on the board with their versions: they bind the others, and stay out.
    """

    lines: Sequence[str]
    limits: Sequence[str]
    brought: Mapping[str, str]
    target: Target

    def bounds(self) -> list[str]:
        """The limits, with the board's own versions."""
        return [*self.limits, *(f"{name}=={version}" for name, version in sorted(self.brought.items()) if version)]

    def known(self) -> dict[str, SpecifierSet]:
        """The versions that each package named here may have."""
        known: dict[str, SpecifierSet] = {}
        for line in (*self.lines, *self.bounds()):
            asked = Requirement(line.partition(" --hash=")[0])
            if self.target.platform.takes(asked.marker):
                name = canonicalize_name(asked.name)
                known[name] = known.get(name, SpecifierSet()) & asked.specifier
        return known


def resolve(question: Question, work: Path, pip: Pip) -> Chosen:
    """The wheels that answer it; `work` is a new folder for its files.

    Raises RejectedError when a wheel is missing or not the index's, OfflineError when the index is out of reach.
    """
    answer = attempt(question, work, pip)
    if isinstance(answer, Failed):
        raise answer.error
    return answer


def attempt(question: Question, work: Path, pip: Pip, more: Path | None = None) -> Chosen | Failed:
    """As `resolve`, but a failure is given back. `more` is a folder with further wheels. Raises OfflineError."""
    target, brought = question.target, question.brought
    work.mkdir()
    given = {"asked.txt": question.lines, "limits.txt": question.bounds()}
    for name, text in given.items():
        (work / name).write_text("".join(f"{each}\n" for each in text), "utf-8")
    stand_ins(brought, target.platform, work / "brought")
    asked, limited, report, log = (str(work / name) for name in ("asked.txt", "limits.txt", "report.json", "pip.log"))
    options = ["--dry-run", "--ignore-installed", "--report", report, "--log", log, "-c", limited, "-r", asked]
    folders = [part for each in (work / "brought", more) if each for part in ("--find-links", str(each))]
    arguments = [*board_options(target), *_WHEELS, *folders, "-t", str(work / "none"), *options]
    done = pip(["install", *arguments], target.platform.environment())
    told = Path(log).read_text("utf-8", "replace") if Path(log).is_file() else ""
    if done.returncode != 0:
        buildable = pip_log.buildable(told, question.known())
        return Failed(failure(done.stderr, told, target, brought, buildable), buildable, _bare(buildable, told))
    installed = json.loads(Path(report).read_text("utf-8"))["install"]
    named = {canonicalize_name(each["metadata"]["name"]): each for each in installed}
    chosen = tuple(_wheel(named[name], target) for name in sorted(named) if name not in brought)
    return Chosen(chosen, tuple(sorted({*named} & {*brought})), pip_log.passed_over(told))


def fetch(wheels: Sequence[Wheel], target: Target, folder: Path, pip: Pip) -> list[Path]:
    """The files of exactly these wheels, checked by their digests, in `folder`, in the wheels' order.

    Raises UntrustedError when the index has other bytes under the same name, and as `resolve` does.
    """
    folder.mkdir()
    pinned = folder / "pinned.txt"
    pinned.write_text("".join(f"{each.line()}\n" for each in wheels), "utf-8")
    options = ["--no-deps", "--require-hashes", "-r", str(pinned), "-d", str(folder)]
    done = pip(["download", *board_options(target), *_WHEELS, *options], target.platform.environment())
    if done.returncode != 0:
        raise failure(done.stderr, "", target, {})
    found = {_named(each): each for each in sorted(folder.glob("*.whl"))}
    return [found[each.name] for each in wheels]


def _named(wheel: Path) -> str:
    return canonicalize_name(wheel.name.partition("-")[0])


def board_options(target: Target) -> list[str]:
    """pip's options for the board's files."""
    tags = [part for tag in target.platform.tags() for part in ("--platform", tag)]
    return [*tags, "--python-version", target.platform.whole(), "--implementation", "cp"]


def reason(told: str) -> str:
    """Why pip failed, in its words."""
    return "; ".join(_errors(told)) or told.strip()[-500:]


def _errors(told: str) -> list[str]:
    return [line.removeprefix("ERROR: ") for line in told.splitlines() if line.startswith("ERROR: ")]


def unreachable(told: str) -> OfflineError | None:
    """The error when pip's words are of an index out of reach."""
    if not _OFFLINE.search(told):
        return None
    return OfflineError(
        "The package index cannot be reached", reason(told), "Check the network, or pip's configuration"
    )


def failure(
    told: str, log: str, target: Target, brought: Mapping[str, str], buildable: Sequence[Requirement] = ()
) -> LamplightError:
    """The error for pip's words, with its log; `buildable` as in Failed."""
    why, sides = reason(told), pip_log.conflict(log)
    if pip_alone.REFUSED in told:
        return RejectedError(
            f"{target.what} cannot be met for {target.board}",
            "a package there, or one that it needs, is to be built on this machine, which would run its code",
            "Choose a version with a wheel in the index",
        )
    if offline := unreachable(told):
        return offline
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
    lacking = [f"{each.name} {each.version} has {each.why}" for each in pip_log.lacking(log).values()]
    impossible = sides or "ResolutionImpossible" in why
    absent = "(from versions: none)" in told and not lacking
    if impossible and not lacking and not absent and not buildable:
        return _conflict(sides or _errors(told), target, brought)
    if impossible or "No matching distribution" in why:
        # A conflict, too, is often a package without a wheel, which each version of another one needs.
        reasons = "; ".join([*(sides[:3] or [why]), *lacking])
        return RejectedError(
            f"{target.what} cannot be met for {target.board}",
            f"only wheels are taken, for nothing is built on a board: {reasons}",
            f"{'Check the spelling; or choose' if absent else 'Choose'} a version that has a wheel for this platform, "
            "or a package in pure Python",
        )
    return LamplightError(f"{target.what} cannot be resolved for {target.board}", why)


def _bare(buildable: Sequence[Requirement], log: str) -> str:
    passed = pip_log.passed_over(log)
    names = [(each.name, passed.get(canonicalize_name(each.name))) for each in buildable]
    return next((name for name, found in names if found is None or found.why != pip_log.OTHERS), "")


def _conflict(sides: Sequence[str], target: Target, brought: Mapping[str, str]) -> RejectedError:
    """Requirements that exclude each other; when one of them is a package on the board, that is the reason."""
    fixed = {f"{_LIMIT}{name}=={version}": f"{name} {version}" for name, version in brought.items()}
    theirs = [fixed[each] for each in sides if each in fixed]
    asked = "; ".join(each for each in sides if not each.startswith(_LIMIT))
    if theirs:
        return RejectedError(
            f"{target.what} cannot be met for {target.board}",
            f"the board brings {' and '.join(theirs)}, which each worker has in memory: {asked}",
            "Ask for a version that goes with it, or leave the package out: functions can import it",
        )
    return RejectedError(f"{target.what} contradicts itself", asked, "Loosen one of these versions")


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
            f"{name} comes from {public(address) or file!r}, and only wheels of the index, with a digest, are taken",
            f"Choose a version of {name}, or of the package that needs it, that the index has",
        )
    return Wheel(name, about["version"], digest, file, public(address))


def public(address: str) -> str:
    """An address of the web without name, password, query and fragment; "" for another."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
