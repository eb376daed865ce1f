"""Judges a wheel that a package's own code made: the package that was asked for, in pure Python; and packs it anew.

Packed anew, the same files are the same bytes. Nothing of the wheel is run. Other wheels are wheel_files.py's.
"""

import email.parser
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from packaging.tags import Tag
from packaging.utils import (
    InvalidWheelFilename,
    canonicalize_name,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from device.errors import RejectedError

_MOST_FILES = 20_000
_MOST_NAME = 200
_MOST_BYTES = 256 << 20
_ENDINGS = (".so", ".pyd", ".dll", ".dylib", ".a", ".o", ".lib", ".pyc", ".exe")
# ELF, Windows' and macOS's programs, archives of objects.
_MAGIC = (b"\x7fELF", b"MZ\x90\0", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"!<arch>\n")
_BEGAN = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE, _PLAIN = 0o100755, 0o100644


class Impure(Exception):
    """The wheel has code for a processor; the message names it."""


def pure(data: bytes, file: str, name: str, version: str, tags: Sequence[Tag]) -> bytes:
    """The wheel of this file name, packed anew, once it is seen to be `name` in `version`, for a Python of these tags.

    Raises Impure for code of a processor, RejectedError for another or a damaged wheel.
    """
    try:
        _check_file_name(file, name, version, tags)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_names(archive)
            _check_about(archive, name, version)
            return _packed(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise RejectedError(f"{name} {version} was built into a wheel that is not taken", why) from None


def _check_file_name(file: str, name: str, version: str, tags: Sequence[Tag]) -> None:
    try:
        found, number, _, marks = parse_wheel_filename(file)
    except (InvalidWheelFilename, InvalidVersion):
        raise ValueError(f"{file!a} is no name of a wheel") from None
    if PurePosixPath(file).name != file or not file.isprintable() or len(file) > _MOST_NAME:
        raise ValueError(f"{file!a} is no name of a file")
    if (found, number) != (name, Version(version)):
        raise ValueError(f"it calls itself {found} {number}")
    if any(each.platform != "any" or each.abi != "none" for each in marks):
        raise Impure(file)
    if marks.isdisjoint(tags):
        raise ValueError(f"{file} is for another Python")


def _check_names(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > _MOST_FILES or sum(each.file_size for each in entries) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_FILES:,} files or {_MOST_BYTES >> 20} MiB")
    for each in entries:
        place = PurePosixPath(each.filename)
        if place.is_absolute() or ".." in place.parts or "\\" in each.filename or ":" in place.parts[:1]:
            raise ValueError(f"its file {each.filename!a} would lie outside of it")
        if place.suffix.lower() in _ENDINGS or ".so." in place.name:
            raise Impure(each.filename)
    if len({each.filename for each in entries}) != len(entries):
        raise ValueError("it has two files of one name")


def _check_about(archive: zipfile.ZipFile, name: str, version: str) -> None:
    folders = {top for each in archive.namelist() if (top := each.partition("/")[0]).endswith(".dist-info")}
    if len(folders) != 1:
        raise ValueError("it is not the wheel of one package")
    info = folders.pop()
    read = email.parser.HeaderParser().parsestr
    try:
        about, wheel = (
            read(archive.read(f"{info}/{each}").decode("utf-8", "replace")) for each in ("METADATA", "WHEEL")
        )
    except KeyError as error:
        raise ValueError(str(error)) from None
    found = (canonicalize_name(str(about["Name"])), Version(str(about["Version"])))
    if found != (name, Version(version)):
        raise ValueError(f"it calls itself {found[0]} {found[1]}")
    if str(wheel["Root-Is-Purelib"]).strip().lower() != "true":
        raise Impure("a wheel for one processor")


def _packed(archive: zipfile.ZipFile) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for each in sorted(archive.infolist(), key=lambda each: each.filename):
            if each.is_dir():
                continue
            data = archive.read(each)
            if data.startswith(_MAGIC):
                raise Impure(each.filename)
            entry = zipfile.ZipInfo(each.filename, _BEGAN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (_EXECUTABLE if each.external_attr >> 16 & 0o111 else _PLAIN) << 16
            target.writestr(entry, data)
    return made.getvalue()
