"""A file system of the worker's own, in a mount namespace: what is not named here is not there.

Needs the right to mount: root's, or that of a user namespace. It decides nothing about what should be visible
(paths.py does), and does nothing by itself: it gives the steps, which the worker takes when it is there.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from device.runtime.confinement import kernel
from device.runtime.confinement.paths import Shown

_QUIET = kernel.MS_NOSUID | kernel.MS_NODEV

Step = Callable[[], object]


@dataclass(frozen=True)
class Plan:
    """What to make in an empty root, in this order: folders, files, mounts upon them, links as (place, target)."""

    folders: Sequence[str]
    files: Sequence[str]
    mounts: Sequence[str]
    links: Sequence[tuple[str, str]]


def steps(
    common: tuple[Shown, ...], files: Iterable[Path], writable: Iterable[Path], scratch: Path, options: str, proc: bool
) -> Iterator[Step]:
    """Replace a process's root: `common` and `files` read-only, `writable` as it is, `scratch` an empty tmpfs.

    Everything lies at the path that it had. `options` are the tmpfs'; `proc`: a /proc of its own, that hides the
    processes of other users. The process must already be in a mount namespace of its own. The steps raise OSError; the
    process is then no longer usable.
    """
    yield partial(kernel.mount, "", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    # Any folder will do to build upon; this one is known to be ours.
    root = str(scratch)
    yield partial(kernel.mount, "lamplight", root, "tmpfs", _QUIET, "mode=755,size=256k")
    yield from _carried_out(common_plan(common), root)
    opened = [each for each in writable if os.access(each, os.F_OK)]
    yield from _placed(plan((each, each) for each in (*files, *opened, scratch, Path("/proc"))), root)
    yield from (_bound(path, root) for path in map(str, files))
    # Shared memory of C libraries lies there, and counts as scratch.
    yield partial(os.symlink, root, f"{root}/dev/shm")
    if proc:
        yield partial(kernel.mount, "proc", f"{root}/proc", "proc", _QUIET, "hidepid=2")
    else:
        yield _bound("/proc", root)
    yield partial(kernel.make_read_only, root)
    yield from (_bound(path, root) for path in map(str, opened))
    yield partial(kernel.mount, "scratch", root + root, "tmpfs", _QUIET, options)
    yield partial(kernel.enter_root, root)


@cache
def common_plan(shown: tuple[Shown, ...]) -> Plan:
    """The plan for what is the same for all workers."""
    return plan(shown)


def plan(paths: Iterable[Shown]) -> Plan:
    """How to show these: each at its real place, with a link to there from the place that it is named by."""
    shown = list(paths)
    mounts = _outermost({real for _, real in shown})
    links = {path: real for path, real in shown if path != real}
    # Below what is mounted, or linked, already, the path leads there by itself.
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
    """Without those that lie in another one."""
    every = set(paths)
    return {path for path in every if every.isdisjoint(path.parents)}


def _carried_out(plan: Plan, root: str) -> Iterator[Step]:
    yield from _placed(plan, root)
    yield from (_bound(path, root) for path in plan.mounts)
    yield from (partial(os.symlink, real, root + path) for path, real in plan.links)


def _placed(plan: Plan, root: str) -> Iterator[Step]:
    """Something of the same kind to mount upon."""
    yield from (partial(_make_folder, root + path) for path in plan.folders)
    yield from (partial(_make_file, root + path) for path in plan.files)


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path)  # noqa: PTH102
    except FileExistsError:
        # Of what is common to all workers.
        pass


def _make_file(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC))


def _bound(path: str, root: str) -> Step:
    return partial(kernel.mount, path, root + path, "", kernel.MS_BIND | kernel.MS_REC)
