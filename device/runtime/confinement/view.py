"""A file system of the worker's own, in a mount namespace: it holds the named paths alone.

It needs the right to mount: root's, or a user namespace's. paths.py chooses the visible paths. This file works on
strings, and plans the common part of all workers ahead: a worker's start waits for it.
"""

import contextlib
import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from device.runtime.confinement.accounts import Account
from device.sandbox import kernel
from device.sandbox.paths import Shown

# Where programs put temporary files, whatever they are told.
TEMPORARY = Path("/tmp")
_QUIET = kernel.MS_NOSUID | kernel.MS_NODEV


@dataclass(frozen=True)
class Scratch:
    """The writable folder, with room for `size` bytes in `files` files; `account` is its owner."""

    path: Path
    size: int
    files: int
    account: Account


@dataclass(frozen=True)
class Plan:
    """The steps for an empty root, in this order: folders, files, mounts upon them, links as (place, target)."""

    folders: Sequence[str]
    files: Sequence[str]
    mounts: Sequence[str]
    links: Sequence[tuple[str, str]]


@contextlib.contextmanager
def _passable() -> Generator[None]:
    """Folders made in the block can be passed by other users, such as the function's: a service's umask may be 077."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@_passable()
def build(
    common: tuple[Shown, ...],
    files: Iterable[Path],
    writable: Iterable[Path],
    scratch: Scratch,
    proc: bool,
    homes: Mapping[str, str],
) -> None:
    """Replace this process's root: `common` and `files` read-only, `writable` as it is, `scratch` an empty tmpfs.

    Every path stays the same; the scratch folder is /tmp, too. `proc`: a /proc of its own, with the processes of other
    users hidden. `homes` are more names of folders in it, as code expects them, unless something has the name. The
    process must already be in a mount namespace of its own. Raises OSError; the process is then unusable.
    """
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    # Any folder will do to build upon; this one is known to be ours.
    root = str(scratch.path)
    kernel.mount("lamplight", root, "tmpfs", _QUIET, "mode=755,size=256k")
    temporary = f"{root}{TEMPORARY}"
    os.mkdir(temporary)  # noqa: PTH102
    kernel.mount("scratch", temporary, "tmpfs", _QUIET, _options(scratch))
    _carry_out(plan(common), root)
    opened = [each for each in writable if os.access(each, os.F_OK)]
    own = plan(tuple((each, each) for each in (*files, *opened, scratch.path, Path("/proc"))))
    _place(own, root)
    for path in map(str, files):
        _bind(path, root)
    # Shared memory of C libraries lies there, and counts as scratch.
    os.symlink(root, f"{root}/dev/shm")  # noqa: PTH211
    for place, folder in homes.items():
        _name(f"{root}{place}", folder)
    for path, text in scratch.account.files().items():
        # A small system may have nothing else of /etc to show.
        Path(f"{root}{path}").parent.mkdir(exist_ok=True)
        Path(f"{root}{path}").write_text(text)
    if proc:
        kernel.mount("proc", f"{root}/proc", "proc", _QUIET, "hidepid=2")
    else:
        _bind("/proc", root)
    kernel.make_read_only(root)
    kernel.make_writable(temporary)
    for path in map(str, opened):
        _bind(path, root)
    _name_scratch(scratch, root)
    kernel.enter_root(root)


def _options(scratch: Scratch) -> str:
    owner = f"uid={scratch.account.user},gid={scratch.account.group}"
    return f"mode=700,{owner},size={scratch.size},nr_inodes={scratch.files}"


def _name_scratch(scratch: Scratch, root: str) -> None:
    """Give /tmp its other name, the scratch folder's.

    A simulated board keeps its files below /tmp. The way to the shown ones lies in the new /tmp then, and the scratch
    folder is a part of it.
    """
    if TEMPORARY in scratch.path.parents:
        os.chown(root + root, scratch.account.user, scratch.account.group)
    else:
        kernel.mount(f"{root}{TEMPORARY}", root + root, "", kernel.MS_BIND)


@cache
def plan(shown: tuple[Shown, ...]) -> Plan:
    """A plan for showing these: each at its real place, with a link from its name to there."""
    mounts = _outermost({real for _, real in shown})
    links = {path: real for path, real in shown if path != real}
    # Below a mounted or linked folder the path leads there by itself.
    apart = [path for path in _outermost(links) if mounts.isdisjoint((path, *path.parents))]
    folders = {path for path in mounts if path.is_dir()}
    parents = {folder for path in (*mounts, *apart) for folder in path.parents}
    needed = sorted((folders | parents) - {Path("/")}, key=lambda each: len(each.parts))
    return Plan(
        [str(path) for path in needed],
        [str(path) for path in mounts - folders],
        [str(path) for path in mounts],
        [(str(path), str(links[path])) for path in apart],
    )


def _outermost(paths: Iterable[Path]) -> set[Path]:
    """Only the outermost paths: those inside another one are dropped."""
    every = set(paths)
    return {path for path in every if every.isdisjoint(path.parents)}


def _carry_out(plan: Plan, root: str) -> None:
    _place(plan, root)
    for path in plan.mounts:
        _bind(path, root)
    for path, real in plan.links:
        os.symlink(real, root + path)  # noqa: PTH211


def _place(plan: Plan, root: str) -> None:
    """Something of the same kind to mount upon."""
    for path in plan.folders:
        try:
            os.mkdir(root + path)  # noqa: PTH102
        except FileExistsError:
            # It belongs to the common part of all workers.
            pass
    for path in plan.files:
        os.close(os.open(root + path, os.O_CREAT | os.O_CLOEXEC))


def _name(place: str, folder: str) -> None:
    # Where a library of the board lies at /opt, or a developer's board at /var/tmp, that stays.
    with contextlib.suppress(OSError):
        Path(place).parent.mkdir(exist_ok=True)
        Path(place).symlink_to(folder)


def _bind(path: str, root: str) -> None:
    kernel.mount(path, root + path, "", kernel.MS_BIND | kernel.MS_REC)
