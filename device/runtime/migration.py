"""Takes a function's state from one schema to the next, once, before the first event of the new release.

Each schema has a folder of its own beside the others, named by its number. The new one is made of a copy and appears
whole or not at all; the old one is not touched, so a board that goes back finds it as it was. It runs in the worker,
for it calls the function's own code.
"""

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path

from device.runtime.reads import forget
from device.runtime.state import FILE, State

Migrate = Callable[[State, int], object]


def settle(states: Path, schema: int, most: int, migrate: Migrate) -> None:
    """Make the state of `schema` below `states` from that of the nearest lower schema, if it is not there yet.

    `migrate(state, schema)` is given the copy and the schema that it has; what it raises passes through, and leaves
    everything as it was. With nothing to migrate from, it is not called.
    """
    with _alone(states):
        before = max((number for number in schemas(states) if number < schema), default=0)
        if before and not (states / str(schema)).exists():
            _make(states, before, schema, most, migrate)


def schemas(states: Path) -> list[int]:
    """The schemas whose state is there."""
    return [int(path.name) for path in states.iterdir() if path.name.isascii() and path.name.isdigit()]


def _make(states: Path, before: int, schema: int, most: int, migrate: Migrate) -> None:
    new = states / ".new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    _copy(states / str(before) / FILE, new / FILE)
    with contextlib.closing(State(new, most, forget)) as state, state:
        migrate(state, before)
    _durable(new / FILE)
    _durable(new)
    new.rename(states / str(schema))
    _durable(states)


def _copy(source: Path, target: Path) -> None:
    """What `source` has, as a file of its own; a state that was never used has none."""
    if source.exists():
        with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
            old.backup(new)


def _durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _alone(states: Path) -> Generator[None]:
    """One of several instances migrates; the others find it done."""
    with (states / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
