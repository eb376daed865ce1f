"""Unpacks a source distribution, in the confined process: names, links and sizes are a stranger's.

It writes below the given folder only, and no more than its bounds. What may be built is pyproject.py's.
"""

import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

MOST_FILES = 20_000
MOST_BYTES = 128 << 20


class Refused(Exception):
    """An archive that is not unpacked; the message is for a person."""


def unpack(stream: IO[bytes], name: str, folder: Path) -> Path:
    """Unpack the archive of this name; gives the folder of the package in it. Raises Refused."""
    try:
        if name.endswith(".zip"):
            _zip(stream, folder)
        else:
            _tar(stream, folder)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, MemoryError) as error:
        raise Refused(f"it cannot be unpacked: {error or type(error).__name__}") from None
    found = [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    if len(found) != 1:
        raise Refused("it is not one folder")
    return found[0]


def _tar(stream: IO[bytes], folder: Path) -> None:
    with tarfile.open(fileobj=stream, mode="r:*") as archive:
        for member in _bounded_tar(archive):
            if hasattr(tarfile, "data_filter"):
                # It keeps names and the ends of links inside.
                archive.extract(member, folder, filter="data")
            elif member.isfile() or member.isdir():
                archive.extract(member, folder)
            else:
                raise Refused(f"{member.name!a} is a link")


def _bounded_tar(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    total = 0
    for number, member in enumerate(archive):
        total += member.size
        _check(member.name, number, total)
        yield member


def _zip(stream: IO[bytes], folder: Path) -> None:
    with zipfile.ZipFile(stream) as archive:
        total = 0
        for number, entry in enumerate(archive.infolist()):
            total += entry.file_size
            _check(entry.filename, number, total)
            place = folder / entry.filename
            if entry.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, place.open("wb") as file:
                shutil.copyfileobj(source, file)


def _check(name: str, number: int, total: int) -> None:
    parts = PurePosixPath(name).parts
    if os.path.isabs(name) or ".." in parts or "\0" in name:  # noqa: PTH117
        raise Refused(f"its file {name!a} would lie outside of it")
    if number >= MOST_FILES or total > MOST_BYTES:
        raise Refused(f"it is a bomb: more than {MOST_FILES:,} files or {MOST_BYTES >> 20} MiB")
