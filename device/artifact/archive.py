"""A folder as one deterministic tar, and back, safely.

The same files give the same bytes on any machine: plain USTAR, files only, sorted by name, no times, owners or modes.
Names are UTF-8, in one spelling (filenames.py). Unpacking takes strangers' bytes: it refuses all but plain files and
folders with plain names, before anything gets its final name. It knows nothing of bundles and models: see bundle.py.
"""

import hashlib
import io
import os
import stat
import sys
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import IO

from device import durable
from device.artifact import filenames
from device.errors import BadArtifactError, NotFoundError
from device.protocol.chunks import MAX_ARTIFACT

MAX_FILES = 5000
# A function's tests and traces: they are for the developer's machine.
TESTS = "tests"
_BLOCK = 512
_COPY = 1 << 20


def pack(folder: Path, only: Collection[str] | None = None) -> bytes:
    """The files below `folder` as a tar.

    Caches (`__pycache__`, `*.pyc`), names that start with a dot and the folder `tests` stay out. With `only`, exactly
    these files of the folder itself are taken. Raises NotFoundError for a missing folder, BadArtifactError for a file
    unfit to travel.
    """
    data = io.BytesIO()
    _write(folder, only, data)
    return data.getvalue()


def digest(folder: Path) -> str:
    """sha256 of `pack(folder)`, without holding it in memory."""
    sink = _Hasher()
    _write(folder, None, sink)
    return sink.sha256.hexdigest()


def size(folder: Path) -> int:
    """How many bytes the files in `pack(folder)` have, without reading them."""
    return sum((folder / name).stat().st_size for name in files(folder))


def unpack(source: bytes | Path, into: Path) -> bool:
    """Unpack a tar, given as bytes or as a file, as the new folder `into`; its parent must exist.

    Gives whether the tar is the same as `pack` makes of the folder, byte for byte: other programs' tars differ, as a
    rule. `into` appears complete and synced, or not at all. Raises BadArtifactError for an unsafe tar, or one cut
    short.
    """
    temporary = durable.temporary(into.parent)
    try:
        durable.create_folder(temporary)
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
            ours = _extract(stream, temporary)
        durable.sync_tree(temporary)
        durable.rename(temporary, into)
        return ours
    except BaseException:
        durable.discard(temporary)
        raise


class _Hasher(io.RawIOBase):
    """A file to write to: it keeps only the digest and the length of its bytes."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        view = memoryview(data)  # pyright: ignore[reportArgumentType]
        self.sha256.update(view)
        self._length += len(view)
        return len(view)

    def tell(self) -> int:
        return self._length


def _write(folder: Path, only: Collection[str] | None, sink: IO[bytes] | _Hasher) -> None:
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}")
    names = _named(only if only is not None else files(folder))
    if not names:
        raise BadArtifactError(f"There is nothing to pack in {folder}")
    _check_names([*names])
    _check_size(sum((folder / name).stat().st_size for name in names.values() if (folder / name).is_file()))
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT, encoding="utf-8") as tar:  # pyright: ignore[reportArgumentType, reportCallIssue]
        for name, on_disk in names.items():
            _add(tar, folder / on_disk, name)


def files(folder: Path, keeps: Callable[[str], bool] = lambda _: True) -> list[str]:
    """The files to pack, by their names on the disk, sorted: all below `folder` but hidden ones, caches and tests.

    On a developer's machine `keeps` leaves out more. Raises BadArtifactError for a link or a special file among them:
    reading one gives the bytes of something else.
    """
    found = sorted(name for name in travelling(folder) if keeps(name))
    for name in found:
        _ordinary(folder / name, name)
    return found


def travelling(folder: Path) -> Iterator[str]:
    """The files to pack, by their names on the disk, in no order and unchecked."""
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if _travels(relative) and (path.is_symlink() or not path.is_dir()):
            yield relative.as_posix()


def _travels(name: PurePath) -> bool:
    """Whether a file of this name is packed."""
    if name.parts[0] == TESTS or name.suffix == ".pyc":
        return False
    return not any(part.startswith(".") or part == "__pycache__" for part in name.parts)


def _ordinary(path: Path, name: str) -> os.stat_result:
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise BadArtifactError(f"{name} is missing", f"{path.parent} must contain it") from None
    if not stat.S_ISREG(status.st_mode):
        raise BadArtifactError(
            f"{name} cannot be packed", "it is a link or a special file", "Put the file itself there"
        )
    return status


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    member = _member(name, _ordinary(path, name).st_size)
    with path.open("rb") as file:
        tar.addfile(member, file)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    return member


def _extract(stream: IO[bytes], into: Path) -> bool:
    """Write the members of the tar in `stream` below `into`; gives whether it is one of ours.

    The headers are read one by one with tarfile's own parser for a single header, so extensions (PAX, GNU long names,
    sparse files) are seen and refused, rather than interpreted.
    """
    names: list[str] = []
    total, ours = 0, True
    while (block := stream.read(_BLOCK)).strip(b"\0") or len(block) < _BLOCK:
        member = _parse(block)
        names.append(member.name.rstrip("/"))
        _check_names(names[-1:])
        if len(names) > MAX_FILES:
            raise BadArtifactError(f"The archive has more than {MAX_FILES} members")
        total += member.size
        _check_size(total)
        ours &= block == _member(member.name, member.size).tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")
        _create(stream, member, into / names[-1])
        ours &= not stream.read(-member.size % _BLOCK).strip(b"\0")
    end = stream.tell() + _BLOCK
    if any(iter(lambda: stream.read(_COPY).strip(b"\0"), b"")):
        raise BadArtifactError("The archive goes on after its end")
    if not names:
        raise BadArtifactError("The archive is empty")
    _check_names(names)
    whole = stream.tell() == -(-end // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
    return ours and whole and names == sorted(names) and all(_travels(PurePosixPath(name)) for name in names)


def _parse(block: bytes) -> tarfile.TarInfo:
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise BadArtifactError("The archive is damaged, or is no tar", str(error)) from None
    if member.type not in (tarfile.REGTYPE, tarfile.DIRTYPE):
        kind = "a link" if member.type in (tarfile.SYMTYPE, tarfile.LNKTYPE) else f"of type {member.type!r}"
        raise BadArtifactError(f"The archive's member {member.name!r} is {kind}", "only plain files are taken")
    if member.size < 0 or (member.isdir() and member.size):
        raise BadArtifactError(f"The archive's member {member.name!r} has an impossible size")
    return member


def _create(stream: IO[bytes], member: tarfile.TarInfo, path: Path) -> None:
    try:
        if member.isdir():
            _make_folders(path)
            return
        _make_folders(path.parent)
        durable.create_file(path, _content(stream, member))
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise BadArtifactError(f"The archive has {member.name!r} twice") from None
    except UnicodeEncodeError:
        raise BadArtifactError(
            f"The file name {member.name!r} cannot be stored here",
            f"this system's names are {sys.getfilesystemencoding()}",
            "Set LANG=C.UTF-8 for the agent",
        ) from None


def _make_folders(path: Path) -> None:
    if not path.is_dir():
        _make_folders(path.parent)
        durable.create_folder(path)


def _content(stream: IO[bytes], member: tarfile.TarInfo) -> Iterator[bytes]:
    left = member.size
    while left:
        data = stream.read(min(left, _COPY))
        if not data:
            raise BadArtifactError("The archive is cut short", f"{left} bytes of {member.name!r} are missing")
        left -= len(data)
        yield data


def _check_size(total: int) -> None:
    if total > MAX_ARTIFACT:
        raise BadArtifactError("The files are too large", f"together {total} bytes; at most {MAX_ARTIFACT} can be sent")


def _check_names(names: Sequence[str]) -> None:
    """Refuse unsafe names, and two names that are one on some machine."""
    if len(names) > MAX_FILES:
        raise BadArtifactError("There are too many files", f"at most {MAX_FILES} can be sent")
    for name in names:
        filenames.check(name)
    filenames.check_together(names)


def _named(names: Iterable[str]) -> dict[str, str]:
    """The names of the files in the archive, in its order; with each its name on the disk."""
    named: dict[str, str] = {}
    for name in names:
        if named.setdefault(filenames.composed(name), name) != name:
            raise BadArtifactError(
                f"Two files are called {filenames.composed(name)!r}",
                "they differ only in how their accents are stored, which not every system can tell",
                "Rename one",
            )
    return dict(sorted(named.items()))
