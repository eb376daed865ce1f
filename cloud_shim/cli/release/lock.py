"""The lock beside the function: the very wheels chosen for one kind of board, as `pylock.NAME.toml` (PEP 751).

Each kind of board has a file of its own, so that a deployment to one leaves the others' choices alone. The addresses
in it tell a wheel's origin; they are never fetched, for the configured index is asked by version and digest. A package
that was built here has its source distribution there, as the standard has it, and the wheel in a table of ours.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from packaging.pylock import Package, Pylock, PylockValidationError

from cloud_shim.cli.release.wheels import Source, Wheel
from device.errors import UsageError

_PATTERN = "pylock.*.toml"
_MAX_BYTES = 4 << 20
# Of a lock's table [tool.lamplight].
FORM = 2
_ANEW = "Delete the file: `lamplight deploy` chooses the packages again and writes it anew"


@dataclass(frozen=True)
class Lock:
    """Wheels, and what they were chosen for: the lines of its requirements, the board, and the packages it has.

    `provided` are the packages that a requirement met on the board itself, as "name==version". `full` is the whole
    version of the board's Python; "" when no marker asked for it, and any will do. `form` is 1 for a lock of before
    0.3: its wheels were chosen by the markers of the machine that deployed, and fit no longer.
    """

    wheels: tuple[Wheel, ...]
    requirements: tuple[str, ...]
    provided: tuple[str, ...]
    machine: str
    python: str
    glibc: int
    full: str = ""
    form: int = FORM

    def fits(self, wanted: "Lock") -> bool:
        """Whether its wheels are an answer to what `wanted` was chosen for; a newer glibc takes them, too."""
        mine, theirs = ((each.requirements, each.machine, each.python, each.form) for each in (self, wanted))
        has = {each.partition("==")[0] for each in wanted.provided}
        brought = set(self.provided) <= set(wanted.provided) and not has & {each.name for each in self.wheels}
        return mine == theirs and brought and self.glibc <= wanted.glibc and self.full in ("", wanted.full)


def name(kind: str) -> str:
    """The file's name for this kind of board, such as "aarch64-py311"."""
    return _PATTERN.replace("*", kind)


def is_lock(file: str) -> bool:
    """Whether the file of a function is a lock: it is for the developer, and no board needs it."""
    return "/" not in file and fnmatch(file, _PATTERN)


def read(file: Path) -> Lock | None:
    """The lock in the file, None without one; raises UsageError for a file that is no lock of ours."""
    if not file.is_file():
        return None
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_BYTES)
        found = Pylock.from_dict(tomllib.loads(data.decode()))
        about: Any = (found.tool or {})["lamplight"]
        return _lock(found, about)
    except (OSError, ValueError, RecursionError, PylockValidationError, KeyError, TypeError) as error:
        raise UsageError(f"{file.name} is no lock of Lamplight's", f"{type(error).__name__}: {error}", _ANEW) from None


def _lock(found: Pylock, about: Mapping[str, Any]) -> Lock:
    board = about["platform"]
    return Lock(
        tuple(_wheel(each) for each in found.packages),
        tuple(str(each) for each in about["requirements"]),
        tuple(str(each) for each in about["provided"]),
        str(board["machine"]),
        str(board["python"]),
        int(board["glibc"]),
        str(board.get("full", "")),
        int(about.get("form", 1)),
    )


def _wheel(package: Package) -> Wheel:
    wheels, sdist = list(package.wheels or ()), package.sdist
    if len(wheels) + (sdist is not None) != 1 or package.version is None:
        raise ValueError(f"{package.name} is not one file of one version")
    if sdist is not None:
        built: Any = (package.tool or {})["lamplight"]
        source = Source(sdist.filename, _digest(sdist.hashes, package.name), sdist.url or "")
        digest, file = _digest(built, package.name), str(built["wheel"])
        return Wheel(package.name, str(package.version), digest, file, source=source)
    digest = _digest(wheels[0].hashes, package.name)
    return Wheel(package.name, str(package.version), digest, wheels[0].filename, wheels[0].url or "")


def _digest(hashes: Mapping[str, Any], name: str) -> str:
    digest = str(hashes.get("sha256", ""))
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError(f"{name} has no sha256")
    return digest


def text(lock: Lock) -> str:
    """The lock as it is written beside the function."""
    about = [
        "",
        "[tool.lamplight]",
        f"form = {lock.form}",
        f"requirements = {_list(lock.requirements)}",
        f"provided = {_list(lock.provided)}",
        "",
        "[tool.lamplight.platform]",
        f"machine = {_string(lock.machine)}",
        f"python = {_string(lock.python)}",
        f"glibc = {lock.glibc}",
        *([f"full = {_string(lock.full)}"] if lock.full else []),
    ]
    marker = f"sys_platform == 'linux' and platform_machine == '{lock.machine}' and python_version == '{lock.python}'"
    comment = (
        "# Written by `lamplight deploy` for one kind of board, from what the function needs. Keep it with your code."
    )
    return "\n".join([comment, *_head(), f"environments = [{_string(marker)}]", *_packages(lock.wheels), *about]) + "\n"


def origins(wheels: Sequence[Wheel]) -> str:
    """The lock that travels in a layer: the same wheels give the same text, whatever asked for them."""
    return "\n".join([*_head(), *_packages(wheels)]) + "\n"


def changes(before: Sequence[Wheel], now: Sequence[Wheel]) -> list[str]:
    """The differences between two choices, a line for each package."""
    old, new = ({each.name: each for each in wheels} for wheels in (before, now))
    lines = [_change(old.get(each), new.get(each)) for each in sorted({*old, *new})]
    return [line for line in lines if line]


def _change(old: Wheel | None, new: Wheel | None) -> str:
    if old is None or new is None:
        sign, each = ("+", new) if old is None else ("-", old)
        return f"{sign} {each.name} {each.version}" if each else ""
    if old.version != new.version:
        return f"~ {new.name} {old.version} -> {new.version}"
    if old.sha256 != new.sha256:
        return f"! {new.name} {new.version} is another file: sha256 {old.sha256[:12]} -> {new.sha256[:12]}"
    return ""


def _head() -> list[str]:
    return ['lock-version = "1.0"', 'created-by = "lamplight"']


def _packages(wheels: Sequence[Wheel]) -> list[str]:
    lines: list[str] = []
    for each in wheels:
        lines += ["", "[[packages]]", f"name = {_string(each.name)}", f"version = {_string(each.version)}"]
        if each.source:
            lines += ["[packages.sdist]", *_file(each.source.file, each.source.url, each.source.sha256)]
            lines += ["[packages.tool.lamplight]", f"wheel = {_string(each.file)}", f'sha256 = "{each.sha256}"']
        else:
            lines += ["[[packages.wheels]]", *_file(each.file, each.url, each.sha256)]
    return lines or ["packages = []"]


def _file(name: str, url: str, digest: str) -> list[str]:
    place = f"url = {_string(url)}" if url else f"path = {_string(name)}"
    return [f"name = {_string(name)}", place, f'hashes = {{ sha256 = "{digest}" }}']


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(_string(each) for each in texts)}]"


def _string(value: str) -> str:
    # JSON's strings of plain characters are TOML's.
    return json.dumps(value, ensure_ascii=False)
