"""What pip's log of a resolution says beyond its answer: the files it passed over, and the sides of a conflict.

A log is for people and may change: where it is not understood, nothing is found, and the resolution stands.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

SOURCE, OTHERS = "a source distribution only", "wheels for other systems only"
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:,]+ ", re.M)
_SKIPPED = re.compile(r"Skipping link: (?P<why>.+): (?P<address>(?:https?|file)://\S+)")
# The address of a file in a folder has no page beside it, and the comma comes at once.
_FOUND = re.compile(r"Found link (?P<address>(?:https?|file)://\S+?)(?:, version: | \()")
_PYTHON = re.compile(r"\S+ Requires-Python (?P<wanted>.+)")
_SIDE = re.compile(r"^    (?P<side>(?:The user requested|\S.* depends on) .+)$", re.M)
_UNMET = re.compile(r"Could not find a version that satisfies the requirement (?P<asked>.+?) \(from ")
_ASKED = re.compile(r"(?:The user requested|\S.* depends on) (?P<asked>[^(].*)")


@dataclass(frozen=True)
class Passed:
    """A version of a package with no file for the board, and why."""

    name: str
    version: Version
    why: str


def passed_over(log: str) -> dict[str, Passed]:
    """By name, the newest version without any fitting file."""
    fitting = {_parsed(_file(each["address"])) for each in _FOUND.finditer(log)}
    why: dict[tuple[str, Version], set[str]] = {}
    for about, reason in _links(log):
        if about not in fitting:
            why.setdefault(about, set()).add(reason)
    newest: dict[str, Passed] = {}
    for (name, version), reasons in why.items():
        best = newest.get(name)
        if not version.is_prerelease and (best is None or version > best.version):
            newest[name] = Passed(name, version, _main(reasons))
    return newest


def lacking(log: str) -> dict[str, Passed]:
    """By name, the newest version of each package without a fitting file in any version."""
    fitting = {about[0] for each in _FOUND.finditer(log) if (about := _parsed(_file(each["address"])))}
    return {name: passed for name, passed in passed_over(log).items() if name not in fitting}


def conflict(log: str) -> list[str]:
    """The requirements that exclude each other, in pip's words."""
    return list(dict.fromkeys(each["side"] for each in _SIDE.finditer(_STAMP.sub("", log))))


def address(log: str, file: str) -> str:
    """The address of this file among those that fitted; "" when the log lacks it."""
    return next((each["address"] for each in _FOUND.finditer(log) if _file(each["address"]) == file), "")


def buildable(log: str, known: Mapping[str, SpecifierSet]) -> list[Requirement]:
    """The requirements that no wheel meets, but a source distribution may, in the order of pip's words.

    `known` are more bounds of each package, from the user. A version with wheels for other systems counts as well:
    these may be for another Python, or be its faster form.
    """
    fitting = {about for each in _FOUND.finditer(log) if (about := _parsed(_file(each["address"])))}
    sources = {about for about, why in _links(log) if why == SOURCE}
    found: dict[str, Requirement] = {}
    for each in _unmet(log):
        name = canonicalize_name(each.name)
        each.specifier &= known.get(name, SpecifierSet())
        if _meets(each, name, sources) and not _meets(each, name, fitting):
            found.setdefault(f"{name}{each.specifier}", each)
    return list(found.values())


def _meets(asked: Requirement, name: str, files: set[tuple[str, Version]]) -> bool:
    return any(True for _ in asked.specifier.filter(version for each, version in files if each == name))


def _unmet(log: str) -> Iterator[Requirement]:
    """The requirements in pip's words on why there is no resolution."""
    sides = (match["asked"] for each in conflict(log) if (match := _ASKED.fullmatch(each)))
    for each in (*(match["asked"] for match in _UNMET.finditer(log)), *sides):
        # pip writes "<2.0.0 and >=1.6.1" for a person. A marker that counted says no more.
        text = each.partition(";")[0].replace(" and ", ",")
        with contextlib.suppress(InvalidRequirement):
            yield Requirement(text)


def _main(reasons: set[str]) -> str:
    """A wheel for another system says more than the source beside it."""
    found = sorted(each for each in reasons if each not in (SOURCE, OTHERS))
    return found[0] if found else OTHERS if OTHERS in reasons else SOURCE


def _links(log: str) -> Iterator[tuple[tuple[str, Version], str]]:
    for found in _SKIPPED.finditer(log):
        reason = _reason(found["why"])
        about = _parsed(_file(found["address"])) if reason else None
        if about:
            yield about, reason


def _file(address: str) -> str:
    return unquote(urlsplit(address).path.rpartition("/")[2])


def _reason(told: str) -> str:
    if told.startswith("No sources permitted"):
        return SOURCE
    if told.startswith("none of the wheel's tags"):
        return OTHERS
    wanted = _PYTHON.fullmatch(told)
    return f"files for Python {wanted['wanted']} only" if wanted else ""


def _parsed(file: str) -> tuple[str, Version] | None:
    try:
        if file.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(file)
        else:
            name, version = parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
    return str(name), version
