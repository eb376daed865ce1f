"""Reads wheels: the files that they put into a folder of packages, straight from the zip, and what they need.

Unpacked by no installer and on no disk here, names and the x bit come through from any machine. Nothing is run.
"""

import contextlib
import email.parser
import io
import shutil
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from device.artifact import filenames, headers
from device.artifact.archive import File
from device.errors import BadArtifactError

_PYTHON = b"#!python"
# For whatever Python the board has; a wheel's scripts leave the place to the installer.
_ANY_PYTHON = b"#!/usr/bin/env python3"
# They name an installer and the files as they lay in the wheel; others of this folder are the package's.
_INSTALLERS = ("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json")
# Parts of a wheel's data folder, and their folder among the packages (PEP 427).
_SPREAD = {"purelib": "", "platlib": "", "data": "", "scripts": "bin/", "headers": "include/"}


@dataclass(frozen=True)
class Opened:
    """A wheel: its requirements as PEP 508 has them, and its files by their names below the folder of packages."""

    requires: tuple[Requirement, ...]
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """How many bytes its files have, unpacked."""
        return sum(each.size for each in self.files)


@contextlib.contextmanager
def opened(wheels: Sequence[Path]) -> Generator[list[Opened]]:
    """These wheels, to be read in the block. Raises BadArtifactError for a file that is no wheel, or a damaged one."""
    wheel = ""
    with contextlib.ExitStack() as stack:
        try:
            found: list[Opened] = []
            for each in wheels:
                wheel = each.name
                archive = stack.enter_context(zipfile.ZipFile(each))
                found.append(Opened(tuple(_requires(archive)), tuple(_files(archive))))
            wheel = "A package"
            yield found
        except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
            raise BadArtifactError(f"{wheel} cannot be unpacked", str(error)) from None


def together(wheels: Sequence[Opened]) -> list[File]:
    """The files of all of them; of two with one name the later one, as installers have it."""
    return [*{each.name: each for wheel in wheels for each in wheel.files}.values()]


def write(given: Sequence[File], folder: Path) -> None:
    """Put these files into `folder`, for a tree that is no archive of ours."""
    for each in given:
        filenames.check_package(each.name)
        path = folder / each.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with each.content() as source, path.open("wb") as file:
            shutil.copyfileobj(source, file)
        path.chmod(headers.EXECUTABLE if each.executable else headers.PLAIN)


def _requires(archive: zipfile.ZipFile) -> Iterator[Requirement]:
    names = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA") and each.count("/") == 1]
    text = archive.read(names[0]).decode("utf-8", "replace") if names else ""
    for line in email.parser.HeaderParser().parsestr(text).get_all("Requires-Dist") or []:
        # Metadata from before PEP 508 says nothing that could be followed.
        with contextlib.suppress(InvalidRequirement):
            yield Requirement(str(line))


def _files(archive: zipfile.ZipFile) -> Iterator[File]:
    for each in archive.infolist():
        name = "" if each.is_dir() else _place(each.filename)
        if name:
            yield _file(archive, each, name)


def _place(name: str) -> str:
    """Where a wheel's file goes; "" for one that is left out."""
    top, _, rest = name.partition("/")
    if top.endswith(".dist-info") and rest in _INSTALLERS:
        return ""
    if not top.endswith(".data"):
        return name
    part, _, below = rest.partition("/")
    if part not in _SPREAD or not below:
        return ""
    return f"{_SPREAD[part]}{below}"


def _file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> File:
    if _is_script(entry.filename):
        data = _for_any_python(archive.read(entry))
        return File(name, len(data), True, lambda: io.BytesIO(data))
    return File(name, entry.file_size, bool(entry.external_attr >> 16 & 0o111), lambda: archive.open(entry))


def _is_script(name: str) -> bool:
    top, _, rest = name.partition("/")
    return top.endswith(".data") and rest.startswith("scripts/")


def _for_any_python(script: bytes) -> bytes:
    line, end, rest = script.partition(b"\n")
    return _ANY_PYTHON + end + rest if line.rstrip() in (_PYTHON, _PYTHON + b"w") else script
