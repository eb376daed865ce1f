"""The operations that must survive a power cut, and only these.

Each one is complete on disk when it returns, and leaves either the old or the new state when it is cut short: write to
a temporary name, fsync, rename, fsync the folder. All of device/update writes through these. They in turn write only
through `disk`, so a test can cut the power at each step.
"""

import contextlib
import os
from collections.abc import Iterable
from os import urandom
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp-"
# The mode of a folder that workers of other users read.
FOR_ALL = 0o755


class Disk:
    """The steps themselves, each one call to the file system."""

    def create(self, path: Path, mode: int) -> BinaryIO:
        """A new, empty file; raises FileExistsError when there is one."""
        # Nobody else may open it before it has its mode: it may become a private key.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.fchmod(handle, mode)
        return os.fdopen(handle, "wb")

    def write(self, file: BinaryIO, data: bytes) -> None:
        """Append to a file given by `create`."""
        file.write(data)
        file.flush()

    def write_at(self, path: Path, offset: int, data: bytes) -> None:
        """Put `data` at its place in an existing file; a shorter file grows."""
        handle = os.open(path, os.O_WRONLY)
        try:
            left = memoryview(data)
            while left:
                written = os.pwrite(handle, left, offset)
                left, offset = left[written:], offset + written
        finally:
            os.close(handle)

    def sync(self, path: Path) -> None:
        """fsync one file or folder."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file or folder another name, replacing any file of this name."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def make_folder(self, path: Path, mode: int) -> None:
        """A new folder with this mode, whatever the umask; raises FileExistsError when there is one."""
        path.mkdir(0o700)
        path.chmod(mode)

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()


disk = Disk()


def temporary(folder: Path) -> Path:
    """A name in `folder` for incomplete content; `sweep` removes everything under such names."""
    return folder / (TEMPORARY + urandom(8).hex())


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Make `data` the content of `path`, in place of any earlier content. The folder must exist."""
    write_parts(path, (data,), mode)


def write_parts(path: Path, parts: Iterable[bytes], mode: int = 0o644) -> None:
    """As `write_file`, with one part in memory at a time; an error raised by `parts` leaves everything as it was."""
    new = temporary(path.parent)
    try:
        create_file(new, parts, mode)
        disk.sync(new)
        rename(new, path)
    except BaseException:
        discard(new)
        raise


def create_file(path: Path, parts: Iterable[bytes], mode: int = 0o644) -> None:
    """A new file inside a temporary folder; durable only after `sync_tree`. Raises FileExistsError."""
    with disk.create(path, mode) as file:
        for part in parts:
            disk.write(file, part)


def create_folder(path: Path) -> None:
    """A new folder, temporary or inside a temporary one; durable only after `sync_tree`. Raises FileExistsError."""
    disk.make_folder(path, FOR_ALL)


def rename(source: Path, target: Path) -> None:
    """Give `source` the name `target` in the same file system. Its content must already be synced."""
    disk.rename(source, target)
    disk.sync(target.parent)


def make_folder(path: Path, mode: int = FOR_ALL) -> None:
    """Make the folder and its missing parents, with this mode."""
    if path.is_dir():
        # Its maker may have been killed before the sync. With a disk that cannot sync, the board must still start.
        with contextlib.suppress(OSError):
            disk.sync(path.parent)
        return
    if not path.parent.is_dir():
        make_folder(path.parent, mode)
    disk.make_folder(path, mode)
    disk.sync(path.parent)


def remove(path: Path) -> None:
    """Remove a file or a whole folder; a missing one is fine.

    A folder first takes a temporary name, so a half-removed one is never mistaken for a whole one.
    """
    if path.is_dir() and not path.is_symlink():
        doomed = path if path.name.startswith(TEMPORARY) else temporary(path.parent)
        if doomed != path:
            rename(path, doomed)
        _remove_tree(doomed)
    elif path.is_symlink() or path.exists():
        disk.unlink(path)
    else:
        return
    disk.sync(path.parent)


def discard(path: Path) -> None:
    """Remove something temporary if possible; otherwise `sweep` does it later."""
    with contextlib.suppress(OSError):
        remove(path)


def sync_tree(folder: Path) -> None:
    """fsync every file and folder below `folder`, and itself, the deepest first."""
    for each in sorted(folder.rglob("*"), reverse=True):
        disk.sync(each)
    disk.sync(folder)


def sweep(folder: Path) -> None:
    """Remove the remains of interrupted operations in `folder`.

    An entry in use may stay until the next time: a process that outlived a killed agent may still write there.
    """
    for left in folder.glob(TEMPORARY + "*"):
        discard(left)


def _remove_tree(folder: Path) -> None:
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            _remove_tree(each)
        else:
            disk.unlink(each)
    disk.remove_folder(folder)
