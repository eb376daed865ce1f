"""Keeps all that the shim writes from other users of its machine: files 0600, in folders 0700."""

import os
from collections.abc import Iterator
from pathlib import Path

_OTHERS = 0o077
# The shim's own in its state folder; a person's files beside them are left alone.
_OURS = ("artifacts", "broker", "signing", "shim.db", "shim.db-shm", "shim.db-wal", "shim.lock")


def close_to_others(state: Path) -> None:
    """Make the state folder, or take others' rights to it and to the shim's files in it.

    New files of this process are born without such rights. A folder that is closed already is not looked through:
    nobody else can have come in.
    """
    os.umask(_OTHERS)
    state.mkdir(parents=True, exist_ok=True)
    if not state.stat().st_mode & _OTHERS:
        return
    for path in (state, *_all_ours(state)):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~_OTHERS)


def _all_ours(state: Path) -> Iterator[Path]:
    for name in _OURS:
        path = state / name
        if path.exists():
            yield path
            yield from path.rglob("*")
