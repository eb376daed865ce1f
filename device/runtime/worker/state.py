"""A function's durable memory, `context.state`: text keys and JSON values, in one SQLite file.

Lives in the worker. The agent keeps the file closed, for the function may have written anything into it. A handler's
changes are one transaction an event: kept when it returns, dropped when it raises, runs out of time or dies. A power
cut costs at most the last LINGER seconds, and always whole events. states.py says where the file is, migration.py how
its data reach a new schema.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Generator, Iterator, MutableMapping
from pathlib import Path
from typing import Self

from device.errors import LamplightError
from device.runtime import state_files
from device.runtime.worker import values
from device.runtime.worker.reads import Note

FILE = state_files.DATABASE
# Seconds. A sync for each event would wear a memory card out: see docs/functions.md.
LINGER = 1.0
MAX_KEY = 256
# In bytes, small: a changed value costs the card one page.
_PAGE = 1024
# After so many pages SQLite folds its log back into the file.
_FOLD = 256


class StateError(LamplightError):
    """A handler asked its state for something impossible."""


class State(MutableMapping[str, object]):
    """The state in the file `state.db` of `folder`, made at first use; at most `most` bytes of it.

    `with state:` is one event: its changes are kept at its end, or dropped when it ends by an exception. Outside of it,
    and in other threads, the state refuses all use. `note` hears the values read by an event.

    Examples:
        >>> context.state["seen"] = context.state.get("seen", 0) + 1
        >>> context.state["seen"]
        1

        Reading gives a copy. Set the value again to keep a change to it:

        >>> rooms = context.state.setdefault("rooms", [])
        >>> rooms.append("kitchen")
        >>> context.state["rooms"]
        []
        >>> context.state["rooms"] = rooms
        >>> context.state["rooms"]
        ['kitchen']
    """

    def __init__(self, folder: Path, most: int, note: Note) -> None:
        self._folder = folder
        self._most = most
        self._note = note
        self._noted: set[str] = set()
        self._database: sqlite3.Connection | None = None
        self._syncer = _Syncer(folder)
        self._in_hand = False
        self._begun: sqlite3.Connection | None = None
        self._changes = 0

    def __enter__(self) -> Self:
        """An event begins."""
        self._in_hand = True
        self._noted.clear()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Keep the changes, or drop them. When keeping fails, raises StateError and drops them all."""
        self._in_hand = False
        database, self._begun = self._begun, None
        if database is None:
            return
        try:
            if error is None:
                self._keep(database)
        finally:
            if database.in_transaction:
                database.execute("ROLLBACK")

    def _keep(self, database: sqlite3.Connection) -> None:
        with self._explained():
            _whole(database)
            database.execute("COMMIT")
        if database.total_changes != self._changes:
            self._syncer.soon()

    def close(self) -> None:
        """Fold everything into the one file and let go of it."""
        if self._database is not None:
            self._syncer.stop()
            # Its log cannot be removed, but emptied; where others still use it, they will.
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()
            self._database = None

    def __getitem__(self, key: str) -> object:
        row = self._execute("SELECT value FROM state WHERE key = ?", key).fetchone()
        if row is None:
            raise KeyError(key)
        value = json.loads(row[0])
        if key not in self._noted:
            # The replay knows the values set or read earlier in the event.
            self._noted.add(key)
            self._note("state", key, value)
        return value

    def __setitem__(self, key: str, value: object) -> None:
        text = encoded(key, value)
        self._noted.add(key)
        # The same value again is no change, and costs the card nothing.
        self._execute(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            " WHERE value <> excluded.value",
            key,
            text,
        )

    def __delitem__(self, key: str) -> None:
        if not self._execute("DELETE FROM state WHERE key = ?", key).rowcount:
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return bool(self._execute("SELECT 1 FROM state WHERE key = ?", key).fetchone())

    def __iter__(self) -> Iterator[str]:
        return iter([row[0] for row in self._execute("SELECT key FROM state ORDER BY key")])

    def __len__(self) -> int:
        return self._execute("SELECT count(*) FROM state").fetchone()[0]

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if not self._in_hand:
            raise StateError("context.state is there while an event is handled", "", "use it inside the handler")
        with self._explained():
            database = self._begun or self._begin()
            _whole(database)
            return database.execute(statement, values)

    def _begin(self) -> sqlite3.Connection:
        database = self._database = self._database or _connect(self._folder, self._most)
        # At once for writing: with several instances, a value read by one must hold until it has written.
        database.execute("BEGIN IMMEDIATE")
        self._begun, self._changes = database, database.total_changes
        return database

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except sqlite3.ProgrammingError as error:
            raise StateError("context.state cannot be used like this", str(error)) from None
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
                raise StateError(
                    "The function's state is full",
                    f"it may take {self._most} bytes, or the disk has no more",
                    'Delete keys, or raise size in function.toml: [state] size = "4M"',
                ) from None
            raise StateError("The function's state cannot be used", str(error)) from None


def _whole(database: sqlite3.Connection) -> None:
    """Raise unless the event's transaction still stands: SQLite ends it by itself when the disk is full or fails."""
    if not database.in_transaction:
        raise StateError(
            "The event's changes to context.state are dropped", "an earlier one did not fit, or the disk failed"
        )


def encoded(key: object, value: object) -> str:
    """The kept form of `value`: its JSON. Raises StateError for an unsuitable key or value."""
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
        raise StateError(
            f"{str(key)[:40]!r} is no key for context.state", f"a key is text of 1 to {MAX_KEY} characters"
        )
    try:
        return _dumped(value)
    except (TypeError, ValueError, RecursionError):
        return _formed(key, value)


def _formed(key: str, value: object) -> str:
    """A value beyond the plain encoding, as text."""
    name = f"context.state[{key!r}]"
    try:
        return _dumped(values.plain(value, name))
    except (TypeError, ValueError) as error:
        raise StateError(f"{name} cannot be set", str(error)) from None


def _dumped(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _connect(folder: Path, most: int) -> sqlite3.Connection:
    """The opened file. A damaged one is put aside, so that the function can go on."""
    folder.mkdir(exist_ok=True)
    file = folder / FILE
    try:
        return _open(file, most)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        shutil.copyfile(file, folder / state_files.DAMAGED)
        state_files.empty(folder, FILE, state_files.LOG, state_files.INDEX)
        print(f"the function's state was damaged and begins anew: {error}")  # noqa: T201
        return _open(file, most)


def _open(file: Path, most: int) -> sqlite3.Connection:
    database = sqlite3.connect(file, isolation_level=None)
    try:
        database.execute(f"PRAGMA page_size = {_PAGE}")
        if not file.stat().st_size:
            # Filling an empty file needs no journal, which would be one file more.
            database.execute("PRAGMA journal_mode = MEMORY")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(f"PRAGMA wal_autocheckpoint = {_FOLD}")
        database.execute(f"PRAGMA journal_size_limit = {_FOLD * _PAGE}")
        database.execute(f"PRAGMA max_page_count = {max(most // _PAGE, 4)}")
        if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("its pages do not fit together")
        database.execute("CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
    except BaseException:
        database.close()
        raise
    return database


class _Syncer:
    """Brings kept changes from memory to the card, LINGER seconds after the first of them, on a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dirty = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def soon(self) -> None:
        """Something was kept."""
        self._dirty.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="state", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, with everything on the card."""
        self._stopped.set()
        self._dirty.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        _sync(self._folder)
        while not self._stopped.is_set():
            self._dirty.wait()
            self._stopped.wait(LINGER)
            self._dirty.clear()
            _sync(self._folder / f"{FILE}-wal")


def _sync(path: Path) -> None:
    # A disk unable to sync says so to the next commit.
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
