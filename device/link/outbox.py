"""The durable outbox: telemetry, logs and events wait here until the shim has acknowledged them.

A SQLite file in WAL mode. Records are appended from any thread, written by one writer thread in one transaction
for all that came meanwhile, and deleted only by `acknowledge`. Each stream has a budget in bytes; beyond it the
stream's oldest records go, and a record of kind "dropped" says how many. A kill of the agent loses nothing that
was written; a power cut may lose the last second (WAL, synchronous NORMAL: one fsync a checkpoint spares SD cards).
It does not send: that is uplink.py's.
"""

import contextlib
import json
import logging
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from device.protocol.topics import STREAMS

BUDGETS: Mapping[str, int] = {"telemetry": 32 << 20, "logs": 8 << 20, "events": 8 << 20}
# What waits for the writer, at most; beyond it the disk has stalled and the oldest in memory are dropped.
MAX_PENDING = 10_000
MAX_RECORD = 64 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS boots (count INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_stream ON records (stream, id);
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """One waiting record; `body` is its JSON text, already with seq and time."""

    boot: str
    seq: int
    body: str


class Outbox:
    """Open with `Outbox(path)`; `boot` names this run of the agent, `boots` counts the runs."""

    def __init__(
        self, path: Path, budgets: Mapping[str, int] = BUDGETS, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._budgets = budgets
        self._condition = threading.Condition()
        self._pending: deque[tuple[str, int, str]] = deque()
        self._dropped: dict[str, int] = {}
        self._seq = 0
        self._closing = False
        self._failing = False
        self._written = 0
        self._listener: Callable[[], None] = lambda: None
        self._database = _open(path)
        self._lock = threading.Lock()
        self.boots, self.boot = self._next_boot()
        self._sizes = self._measure()
        self._writer = threading.Thread(target=self._write_loop, name="outbox", daemon=True)
        self._writer.start()

    def on_written(self, listener: Callable[[], None]) -> None:
        """Call `listener` (from the writer's thread) whenever records became durable."""
        self._listener = listener

    def append(self, stream: str, kind: str, fields: Mapping[str, object]) -> None:
        """Add one record; returns at once. A record that is no JSON or too long is replaced by a note of that."""
        with self._condition:
            self._add(stream, kind, fields)
            self._condition.notify_all()

    def flush(self) -> None:
        """Wait until everything appended so far is written (or the disk refused it)."""
        with self._condition:
            goal = self._seq
            self._condition.wait_for(lambda: self._written >= goal or not self._writer.is_alive(), timeout=10)

    def next_batch(self, stream: str, records: int = 500, size: int = 96 * 1024) -> list[Row]:
        """The oldest waiting records of `stream`: of one boot, at most `records`, about `size` bytes in all."""
        with self._lock:
            found = self._database.execute(
                "SELECT boot, seq, body FROM records WHERE stream = ? ORDER BY id LIMIT ?", (stream, records)
            ).fetchall()
        return _take([Row(*each) for each in found], size)

    def acknowledge(self, stream: str, boot: str, seq: int) -> bool:
        """Delete the records of `stream` up to and including (boot, seq); False when that one is not waiting."""
        with self._lock, self._consistently():
            found = self._database.execute(
                "SELECT id FROM records WHERE stream = ? AND boot = ? AND seq = ?", (stream, boot, seq)
            ).fetchone()
            if found is None:
                return False
            self._delete(stream, "id <= ?", found[0])
        return True

    def waiting(self) -> dict[str, int]:
        """How many bytes wait in each stream."""
        with self._lock:
            return dict(self._sizes)

    def close(self) -> None:
        """Write what is pending and close the file."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._writer.join()
        with self._lock:
            self._database.close()

    def _add(self, stream: str, kind: str, fields: Mapping[str, object]) -> None:
        if stream not in STREAMS:
            raise ValueError(f"unknown stream {stream!r}")
        self._seq += 1
        body = _encode({"seq": self._seq, "time": round(self._clock(), 3), "kind": kind, **fields})
        self._pending.append((stream, self._seq, body))
        if len(self._pending) > MAX_PENDING:
            lost = self._pending.popleft()
            self._dropped[lost[0]] = self._dropped.get(lost[0], 0) + 1

    def _write_loop(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._pending or self._closing)
                if not self._pending:
                    return
                rows = list(self._pending)
                self._pending.clear()
            self._store(rows)
            with self._condition:
                self._written = rows[-1][1]
                self._condition.notify_all()
            self._listener()

    def _store(self, rows: list[tuple[str, int, str]]) -> None:
        try:
            self._insert(rows)
            self._failing = False
        except sqlite3.Error:
            self._make_room_and_retry(rows)

    def _make_room_and_retry(self, rows: list[tuple[str, int, str]]) -> None:
        # Most likely a full disk: old telemetry makes room; if that is not enough, these records are counted as lost.
        try:
            with self._lock, self._consistently():
                self._trim("telemetry", self._sizes["telemetry"] // 2)
            self._insert(rows)
        except sqlite3.Error as error:
            for stream, _, _ in rows:
                self._dropped[stream] = self._dropped.get(stream, 0) + 1
            if not self._failing:
                # Said once until it works again: this very line is a record too.
                _log.error("Records are being lost, the outbox cannot be written: %s", error)
            self._failing = True

    @contextlib.contextmanager
    def _consistently(self) -> Generator[None]:
        """A transaction after whose failure the sizes are what the file holds."""
        try:
            with self._database:
                yield
        except sqlite3.Error:
            self._sizes = self._measure()
            raise

    def _insert(self, rows: list[tuple[str, int, str]]) -> None:
        with self._lock, self._consistently():
            self._database.executemany(
                "INSERT INTO records (stream, boot, seq, body) VALUES (?, ?, ?, ?)",
                [(stream, self.boot, seq, body) for stream, seq, body in rows],
            )
            for stream, _, body in rows:
                self._sizes[stream] += len(body)
            for stream, budget in self._budgets.items():
                if self._sizes[stream] > budget:
                    # A tenth more than needed, so that a full outbox does not delete at each insert.
                    self._trim(stream, budget * 9 // 10)
        self._note_drops()

    def _trim(self, stream: str, goal: int) -> None:
        excess = self._sizes[stream] - goal
        for row_id, size in self._database.execute(
            "SELECT id, LENGTH(body) FROM records WHERE stream = ? ORDER BY id", (stream,)
        ).fetchall():
            if excess <= 0:
                return
            excess -= size
            self._dropped[stream] = self._dropped.get(stream, 0) + self._delete(stream, "id = ?", row_id)

    def _note_drops(self) -> None:
        with self._condition:
            dropped, self._dropped = self._dropped, {}
            for stream, lost in dropped.items():
                self._add("events", "dropped", {"stream": stream, "count": lost})

    def _delete(self, stream: str, condition: str, row_id: int) -> int:
        where = f"stream = ? AND {condition}"
        size = self._database.execute(
            f"SELECT COALESCE(SUM(LENGTH(body)), 0) FROM records WHERE {where}", (stream, row_id)
        ).fetchone()[0]
        self._sizes[stream] -= size
        return self._database.execute(f"DELETE FROM records WHERE {where}", (stream, row_id)).rowcount

    def _next_boot(self) -> tuple[int, str]:
        with self._database:
            count = self._database.execute("INSERT INTO boots (boot) VALUES ('')").lastrowid or 0
            self._database.execute("DELETE FROM boots WHERE count < ?", (count,))
        # The random part tells two lives of a board apart whose state was wiped in between.
        return count, f"{count}-{secrets.token_hex(4)}"

    def _measure(self) -> dict[str, int]:
        sizes: dict[str, int] = dict.fromkeys(STREAMS, 0)
        sizes.update(self._database.execute("SELECT stream, SUM(LENGTH(body)) FROM records GROUP BY stream"))
        return sizes


def _take(rows: list[Row], size: int) -> list[Row]:
    taken: list[Row] = []
    for row in rows:
        if taken and (row.boot != taken[0].boot or size < len(row.body)):
            break
        size -= len(row.body)
        taken.append(row)
    return taken


def _encode(record: dict[str, object]) -> str:
    try:
        body = json.dumps(record, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        return _note(record, f"not JSON: {error}")
    return body if len(body) <= MAX_RECORD else _note(record, f"{len(body)} bytes; at most {MAX_RECORD}")


def _note(record: dict[str, object], why: str) -> str:
    kept = {key: record[key] for key in ("seq", "time", "kind")}
    return json.dumps({**kept, "unreadable": why}, separators=(",", ":"))


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
            raise
        # A torn file must not keep the board from starting; it stays aside for whoever wants to look.
        aside = path.with_name(f"{path.name}.corrupt")
        path.replace(aside)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        _log.error("The outbox was unreadable (%s) and begins anew; the old file is %s", error, aside)
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, timeout=10)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_SCHEMA)
        database.execute("SELECT COUNT(*) FROM records").fetchone()
    except BaseException:
        database.close()
        raise
    return database
