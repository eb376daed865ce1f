"""Takes a function's state from one schema to the next, once, before the first event of the new release.

Each schema has a folder of its own beside the others, named by its number. The new one is made of a copy and marked as
unfinished until it is whole. The old one stays as it is, for a board that goes back. It runs in the worker, for it
calls the function's own code, and writes into files made by the agent (state_files.py).
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path

from device.runtime import state_files
from device.runtime.worker.reads import forget
from device.runtime.worker.state import FILE, State

Migrate = Callable[[State, int], object]


def due(states: Path, schema: int) -> bool:
    """Whether the state of `schema` below `states` is still to be made."""
    return state_files.is_unfinished(states / str(schema))


def settle(states: Path, schema: int, most: int, migrate: Migrate | None) -> None:
    """Make the state of `schema` below `states` from the nearest lower schema's, if it is due.

    `migrate(state, schema)` is given the copy and its schema. Its errors pass through, and the state is made anew the
    next time. When `migrate` or a lower schema is missing, the state begins empty.
    """
    with _alone(states):
        if due(states, schema):
            folder = states / str(schema)
            state_files.empty(folder, FILE, state_files.LOG, state_files.INDEX)
            before = max((number for number in state_files.used(states) if number < schema), default=0)
            if before and migrate:
                _copy(states / str(before) / FILE, folder / FILE)
                with contextlib.closing(State(folder, most, forget)) as state, state:
                    migrate(state, before)
            _durable(folder / FILE)
            state_files.empty(folder, state_files.UNFINISHED)
            _durable(folder / state_files.UNFINISHED)


def _copy(source: Path, target: Path) -> None:
    """Copy the data of `source` into the empty file `target`."""
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        # A journal would be one file more.
        new.execute("PRAGMA journal_mode = MEMORY")
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
    with (states / state_files.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
