"""The files of a function's state: the agent makes them all, and a worker only fills them.

A worker may write into these files, but make no others (confinement/). So its storage is bounded by their number and
the greatest size of one file. Their contents belong to state.py and migration.py.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Generator
from pathlib import Path

DATABASE = "state.db"
LOG, INDEX = f"{DATABASE}-wal", f"{DATABASE}-shm"
DAMAGED = f"damaged-{DATABASE}"
# Filled as long as the state of this schema is still to be made from a lower one's.
UNFINISHED = "unfinished"
FILES = (DATABASE, LOG, INDEX, DAMAGED, UNFINISHED)
# Held while one of several workers migrates.
LOCK = ".lock"
_NEW = ".new"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def make(states: Path, schema: int) -> None:
    """Make the files of this schema, and the missing files of other schemas. Raises OSError.

    A new schema above a used one is marked as unfinished: its state is still to be made.
    """
    _fill(states, (LOCK,))
    if not (states / str(schema)).exists():
        shutil.rmtree(states / _NEW, ignore_errors=True)
        (states / _NEW).mkdir(mode=0o700)
        lower = any(each < schema for each in used(states))
        (states / _NEW / UNFINISHED).write_text("1" if lower else "")
        (states / _NEW).rename(states / str(schema))
    for folder in schemas(states):
        _fill(folder, FILES)


def schemas(states: Path) -> list[Path]:
    """The folders of schemas."""
    return [path for path in states.iterdir() if path.name.isascii() and path.name.isdigit() and not path.is_symlink()]


def used(states: Path) -> list[int]:
    """The schemas with data."""
    return [int(path.name) for path in schemas(states) if _size(path / DATABASE) and not _size(path / UNFINISHED)]


def is_unfinished(folder: Path) -> bool:
    """Whether the state of this schema is still to be made."""
    return _size(folder / UNFINISHED) > 0


def empty(folder: Path, *files: str) -> None:
    """Empty these files; a missing one stays missing."""
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            os.truncate(folder / file, 0)


def give(states: Path, user: int) -> None:
    """Let `user` write into the files and read the folders; the folders stay this process's own.

    The files stay open to this process's group: an agent that is not root, and has no users for functions any more,
    goes on with them. For root; raises OSError. Links laid there by a function are ignored.
    """
    for folder in (states, *schemas(states)):
        with _opened(folder, _FOLDER) as handle:
            _own(handle, os.getuid(), user, 0o750)
            for name in FILES if folder != states else (LOCK,):
                with contextlib.suppress(FileNotFoundError), _opened(name, _FILE, handle) as file:
                    if _is_plain(os.fstat(file)):
                        _own(file, user, os.getgid(), 0o660)


def give_as_before(states: Path) -> None:
    """Give all files to the owner of the others, or open them to that one. Raises OSError."""
    owner = (states / LOCK).lstat().st_uid
    if os.getuid() == 0:
        give(states, owner)
    elif owner != os.getuid():
        _open_up(states)


def _open_up(states: Path) -> None:
    """Open the files of this process to all who can reach them: by `give`, that is the function with `states`.

    For an agent that is not root, and so cannot give them away. A worker's start gives them in earnest.
    """
    for folder in schemas(states):
        with _opened(folder, _FOLDER) as handle:
            _open(handle, 0o755)
            for name in FILES:
                # One that the function closed to us is its own already.
                with contextlib.suppress(FileNotFoundError, PermissionError), _opened(name, _FILE, handle) as file:
                    _open(file, 0o666)


def _open(handle: int, mode: int) -> None:
    if os.fstat(handle).st_uid == os.getuid():
        os.fchmod(handle, mode)


def _own(handle: int, user: int, group: int, mode: int) -> None:
    now = os.fstat(handle)
    if (now.st_uid, now.st_gid) != (user, group):
        os.fchown(handle, user, group)
    if stat.S_IMODE(now.st_mode) != mode:
        os.fchmod(handle, mode)


def _is_plain(status: os.stat_result) -> bool:
    """Whether it is a plain file, with one name: a second name could be in the hands of another user."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def _fill(folder: Path, names: tuple[str, ...]) -> None:
    with _opened(folder, _FOLDER) as handle:
        for name in names:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=handle))


@contextlib.contextmanager
def _opened(path: str | Path, flags: int, folder: int | None = None) -> Generator[int]:
    handle = os.open(path, flags, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
