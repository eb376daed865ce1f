"""A file system of the worker's own, in a mount namespace: what is not named here is not there.

Needs the right to mount: root's, or that of a user namespace. It decides nothing about what should be visible
(paths.py does).
"""

from collections.abc import Iterable
from pathlib import Path

from device.runtime.confinement import kernel

_QUIET = kernel.MS_NOSUID | kernel.MS_NODEV


def build(
    readable: Iterable[Path], writable: Iterable[Path], scratch: Path, scratch_options: str, fresh_proc: bool
) -> None:
    """Replace this process's root: `readable` read-only, `writable` as it is, `scratch` an empty tmpfs.

    Everything lies at the path that it had. `fresh_proc`: a /proc that hides the processes of other users. The process
    must already be in a mount namespace of its own. Raises OSError; the process is then no longer usable.
    """
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    # Any folder will do to build upon; this one is known to be ours.
    root = scratch
    kernel.mount("lamplight", str(root), "tmpfs", _QUIET, "mode=755,size=256k")
    _show(readable, root)
    opened = [path for path in writable if path.exists()]
    for path in (*opened, Path("/proc"), scratch):
        _place(path, root)
    dev = root / "dev"
    dev.mkdir(exist_ok=True)
    # Shared memory of C libraries lies there, and counts as scratch.
    (dev / "shm").symlink_to(scratch)
    if fresh_proc:
        kernel.mount("proc", str(root / "proc"), "proc", _QUIET, "hidepid=2")
    else:
        _bind(Path("/proc"), root)
    kernel.make_read_only(str(root))
    for path in opened:
        _bind(path, root)
    kernel.mount("scratch", str(_inside(scratch, root)), "tmpfs", _QUIET, scratch_options)
    kernel.enter_root(str(root))


def _show(paths: Iterable[Path], root: Path) -> None:
    """Each at its place; one that is reached through symbolic links at its real place, with a link to there."""
    found = [(path, path.resolve()) for path in paths if path.exists()]
    shown = _outermost({real for _, real in found})
    for path in shown:
        _place(path, root)
        _bind(path, root)
    links = {path: real for path, real in found if path != real}
    for path in _outermost(links):
        # Below what is shown or linked already, the path leads there by itself.
        if not any(path.is_relative_to(other) for other in shown):
            link = _inside(path, root)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(links[path])


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Without those that lie in another one."""
    kept: list[Path] = []
    for path in sorted(paths, key=lambda each: len(each.parts)):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return kept


def _place(path: Path, root: Path) -> None:
    """Something of the same kind to mount upon."""
    target = _inside(path, root)
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _bind(path: Path, root: Path) -> None:
    kernel.mount(str(path), str(_inside(path, root)), "", kernel.MS_BIND | kernel.MS_REC)


def _inside(path: Path, root: Path) -> Path:
    return root / path.relative_to("/")
