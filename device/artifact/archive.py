"""A folder as one deterministic tar, and back, safely.

The same files give the same bytes on any machine: files only, sorted by name, with the x bit, and no times, owners or
other modes (headers.py). Names are UTF-8, in one spelling (filenames.py). Unpacking takes strangers' bytes: it refuses
all but plain files and folders with plain names, before anything gets its final name. Of bundles and models it knows
nothing, see bundle.py; of layers, that the names below `site` are a package's own.
"""

import hashlib
import io
import os
import stat
import sys
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import IO

from device import durable
from device.artifact import filenames, headers
from device.errors import BadArtifactError, NotFoundError
from device.protocol.chunks import MAX_ARTIFACT
from device.protocol.layer import LAYER_FILE, SITE

# 2: the x bit, names of any length, and a package's own names. Agents before 0.2 read 1 alone, and say no number.
FORMAT = 2
MAX_FILES = 20_000
_MAX_FILES_PLAIN = 5000
# A function's tests and traces: they are for the developer's machine.
TESTS = "tests"
_PROGRAMS = (b"#!", b"\x7fELF")
_COPY = 1 << 20


@dataclass(frozen=True)
class File:
    """A file to pack: its name in the archive, its length, whether it may be run, and its content."""

    name: str
    size: int
    executable: bool
    content: Callable[[], IO[bytes]]


def pack(folder: Path, only: Collection[str] | None = None, plain: bool = False) -> bytes:
    """The files below `folder` as a tar.

    Caches (`__pycache__`, `*.pyc`), names that start with a dot and the folder `tests` stay out. With `only`, exactly
    these files of the folder itself are taken. `plain` packs in format 1. Raises NotFoundError for a missing folder,
    BadArtifactError for a file unfit to travel.
    """
    data = io.BytesIO()
    _write(_found(folder, only), data, plain)
    return data.getvalue()


def pack_files(given: Iterable[File], plain: bool = False) -> bytes:
    """These files as a tar, as `pack` makes it of a folder with them."""
    data = io.BytesIO()
    _write(sorted(given, key=lambda each: each.name), data, plain)
    return data.getvalue()


def digest(folder: Path) -> str:
    """sha256 of `pack(folder)`, without holding it in memory."""
    sink = _Hasher()
    _write(_found(folder, None), sink, False)
    return sink.sha256.hexdigest()


def size(folder: Path) -> int:
    """How many bytes the files in `pack(folder)` have, without reading them."""
    return sum((folder / name).stat().st_size for name in files(folder))


def form(packed: bytes) -> int:
    """The form of an archive that `pack` made: 1 when every agent can unpack it, else FORMAT."""
    stream, count = io.BytesIO(packed), 0
    while (block := stream.read(headers.BLOCK)).strip(b"\0"):
        member, whole = headers.read(stream, block)
        count += 1
        if len(whole) > headers.BLOCK or member.mode & 0o100 or count > _MAX_FILES_PLAIN:
            return FORMAT
        stream.seek(-(-member.size // headers.BLOCK) * headers.BLOCK, io.SEEK_CUR)
    return 1


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


def _found(folder: Path, only: Collection[str] | None) -> list[File]:
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}")
    named = _named(only if only is not None else files(folder), only is None and _is_layer(folder))
    if not named:
        raise BadArtifactError(f"There is nothing to pack in {folder}")
    return [_file(folder / on_disk, name) for name, on_disk in named.items()]


def _file(path: Path, name: str) -> File:
    status = _ordinary(path, name)
    return File(name, status.st_size, _is_executable(path, status), lambda: path.open("rb"))


def _is_executable(path: Path, status: os.stat_result) -> bool:
    if os.name != "nt":
        return bool(status.st_mode & 0o100)
    # Windows keeps no such bit: what its first bytes call a program is one.
    with path.open("rb") as file:
        return file.read(4).startswith(_PROGRAMS)


def _write(given: Sequence[File], sink: IO[bytes] | _Hasher, plain: bool) -> None:
    names = [each.name for each in given]
    _check_names(names)
    _check_size(sum(each.size for each in given))
    if plain:
        _check_plain(names)
    for each in given:
        sink.write(headers.header(each.name, each.size, each.executable and not plain))
        with each.content() as file:
            _copy(file, each, sink)
        sink.write(b"\0" * (-each.size % headers.BLOCK))
    # Two empty blocks, and up to a whole record.
    sink.write(b"\0" * (2 * headers.BLOCK))
    sink.write(b"\0" * (-sink.tell() % tarfile.RECORDSIZE))


def _copy(file: IO[bytes], about: File, sink: IO[bytes] | _Hasher) -> None:
    left = about.size
    while left:
        data = file.read(min(left, _COPY))
        if not data:
            raise BadArtifactError(f"{about.name} became shorter while it was read", "", "Try again")
        left -= len(data)
        sink.write(data)


def files(folder: Path, keeps: Callable[[str], bool] = lambda _: True) -> list[str]:
    """The files to pack, by their names on the disk, sorted: all below `folder` but hidden ones, caches and tests.

    On a developer's machine `keeps` leaves out more. Raises BadArtifactError for a link or a special file among them:
    reading one gives the bytes of something else.
    """
    found = sorted(name for name in travelling(folder) if keeps(name))
    for name in found:
        _ordinary(folder / name, name)
    return found


def _is_layer(folder: Path) -> bool:
    """Whether its archive begins with layer.toml, by which `unpack` knows one."""
    if not (folder / LAYER_FILE).is_file():
        return False
    return min(each.name for each in folder.iterdir() if _travels(PurePath(each.name), False)) == LAYER_FILE


def travelling(folder: Path) -> Iterator[str]:
    """The files to pack, by their names on the disk, in no order and unchecked."""
    layer = _is_layer(folder)
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if _travels(relative, layer) and (path.is_symlink() or not path.is_dir()):
            yield relative.as_posix()


def _travels(name: PurePath, layer: bool) -> bool:
    """Whether a file of this name is packed."""
    if "__pycache__" in name.parts:
        return False
    if layer and name.parts[0] == SITE:
        return True
    if name.parts[0] == TESTS or name.suffix == ".pyc":
        return False
    return not any(part.startswith(".") for part in name.parts)


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


def _extract(stream: IO[bytes], into: Path) -> bool:
    """Write the members of the tar in `stream` below `into`; gives whether it is one of ours.

    The headers are read one by one (headers.py), so extensions (GNU long names, sparse files, other PAX records) are
    seen and refused, rather than interpreted.
    """
    names: list[str] = []
    total, ours = 0, True
    while (block := stream.read(headers.BLOCK)).strip(b"\0") or len(block) < headers.BLOCK:
        member, whole = headers.read(stream, block)
        names.append(member.name.rstrip("/"))
        _check_name(names[-1], names[0] == LAYER_FILE)
        if len(names) > MAX_FILES:
            raise BadArtifactError(f"The archive has more than {MAX_FILES} members")
        total += member.size
        _check_size(total)
        ours &= whole == headers.header(member.name, member.size, bool(member.mode & 0o100))
        _create(stream, member, into / names[-1])
        ours &= not stream.read(-member.size % headers.BLOCK).strip(b"\0")
    end = stream.tell() + headers.BLOCK
    if any(iter(lambda: stream.read(_COPY).strip(b"\0"), b"")):
        raise BadArtifactError("The archive goes on after its end")
    if not names:
        raise BadArtifactError("The archive is empty")
    _check_names(names)
    complete = stream.tell() == -(-end // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
    return ours and complete and names == sorted(names) and _all_travel(names)


def _all_travel(names: Sequence[str]) -> bool:
    layer = names[0] == LAYER_FILE
    return all(_travels(PurePosixPath(name), layer) for name in names)


def _create(stream: IO[bytes], member: tarfile.TarInfo, path: Path) -> None:
    try:
        if member.isdir():
            _make_folders(path)
            return
        _make_folders(path.parent)
        mode = headers.EXECUTABLE if member.mode & 0o100 else headers.PLAIN
        durable.create_file(path, _content(stream, member), mode)
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


def _check_name(name: str, layer: bool) -> None:
    """Refuse an unsafe name. In a layer, those below `site` are the packages' own."""
    if layer and name.startswith(f"{SITE}/"):
        filenames.check_package(name)
    else:
        filenames.check(name)


def _check_names(names: Sequence[str]) -> None:
    """Refuse unsafe names, and two names that are one on some machine."""
    if len(names) > MAX_FILES:
        raise BadArtifactError("There are too many files", f"at most {MAX_FILES} can be sent")
    layer = bool(names) and names[0] == LAYER_FILE
    for name in names:
        _check_name(name, layer)
    packaged = [each for each in names if layer and each.startswith(f"{SITE}/")]
    filenames.check_together({*names} - {*packaged} if packaged else names)
    if len({*packaged}) < len(packaged):
        raise BadArtifactError("The archive has a file of a package twice")


def _check_plain(names: Sequence[str]) -> None:
    """Refuse what an agent that reads format 1 alone cannot unpack."""
    upgrade = "The board's agent is older than 0.2: `lamplight upgrade DEVICE`, then deploy again"
    if len(names) > _MAX_FILES_PLAIN:
        raise BadArtifactError("There are too many files", f"its agent takes {_MAX_FILES_PLAIN}", upgrade)
    for name in names:
        if headers.is_long(name):
            raise BadArtifactError(f"The file name {name!r} is too long", "its agent takes 100 bytes", upgrade)
        try:
            filenames.check(name)
        except BadArtifactError as error:
            raise BadArtifactError(error.what, error.why, upgrade) from None
    filenames.check_together(names)


def _named(names: Iterable[str], layer: bool) -> dict[str, str]:
    """The names of the files in the archive, in its order; with each its name on the disk."""
    named: dict[str, str] = {}
    for name in names:
        kept = name if layer and name.startswith(f"{SITE}/") else filenames.composed(name)
        if named.setdefault(kept, name) != name:
            raise BadArtifactError(
                f"Two files are called {kept!r}",
                "they differ only in how their accents are stored, which not every system can tell",
                "Rename one",
            )
    return dict(sorted(named.items()))
