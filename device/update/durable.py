"""Every operation that must survive a power cut, and nothing else.

Each one is complete on disk when it returns, and leaves either the old or the new state when it is cut short: write to
a temporary name, fsync, rename, fsync the folder. All of device/update writes through these, so that a test can cut the
power at each.
"""

import os
import shutil
import tempfile
from pathlib import Path

TEMPORARY = ".tmp-"


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Make `data` the content of `path`, whatever stood there. The folder must exist."""
    handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        rename(Path(temporary), path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def rename(source: Path, target: Path) -> None:
    """Give `source`, whose content is already synced, the name `target` in the same file system."""
    source.replace(target)
    sync(target.parent)


def make_folder(path: Path) -> None:
    """Make the folder and its parents, if they are not there."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def remove(path: Path) -> None:
    """Remove a file or a whole folder; one that is not there is no error.

    A folder first takes a temporary name, so that a half-removed one is never mistaken for a whole one.
    """
    if path.is_dir() and not path.is_symlink():
        doomed = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent)) / "removed"
        rename(path, doomed)
        shutil.rmtree(doomed.parent)
    else:
        path.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """fsync one file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """fsync every file and folder below `folder`, and itself, the deepest first."""
    for each in sorted(folder.rglob("*"), reverse=True):
        sync(each)
    sync(folder)


def sweep(folder: Path) -> None:
    """Remove what interrupted operations left in `folder`.

    What cannot be removed stays until the next time: a process that outlived a killed agent may still write there.
    """
    for left in folder.glob(TEMPORARY + "*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
