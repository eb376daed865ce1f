"""The outbox's file: records in SQLite, in WAL mode, bounded per stream.

One fsync a checkpoint, instead of one a transaction (synchronous NORMAL), spares SD cards: a power cut may lose the
last transactions, a kill of the process loses none. For one thread at a time: the outbox holds its lock. The outbox
decides which records to keep, and when to write them.
"""

import contextlib
import logging
import secrets
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.protocol.topics import STREAMS

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

    stream: str
    boot: str
    seq: int
    body: str


class RecordFile:
    """Every method but `open` may raise sqlite3.Error, and has then changed nothing."""

    def __init__(self, path: Path, budgets: Mapping[str, int]) -> None:
        self._database = _open(path)
        self._budgets = budgets
        self.sizes = self._measure()

    def next_boot(self) -> tuple[int, str]:
        """How many runs of the agent there were, this one included, and a name for this one."""
        with self._database:
            count = self._database.execute("INSERT INTO boots (boot) VALUES ('')").lastrowid or 0
            self._database.execute("DELETE FROM boots WHERE count < ?", (count,))
        return count, boot_name(count)

    def add(self, rows: Sequence[Row]) -> dict[str, int]:
        """Write the rows; beyond a stream's budget its oldest go. Gives how many went, by stream."""
        with self._consistently():
            self._database.executemany(
                "INSERT INTO records (stream, boot, seq, body) VALUES (?, ?, ?, ?)",
                [(row.stream, row.boot, row.seq, row.body) for row in rows],
            )
            for row in rows:
                self.sizes[row.stream] += len(row.body)
            # A tenth more than needed: otherwise a full file would delete at each addition.
            full = [stream for stream, budget in self._budgets.items() if self.sizes[stream] > budget]
            return {stream: self._trim(stream, self._budgets[stream] * 9 // 10) for stream in full}

    def halve(self, stream: str) -> int:
        """Drop the older half of a stream; gives how many records went."""
        with self._consistently():
            return self._trim(stream, self.sizes[stream] // 2)

    def oldest(self, stream: str, count: int) -> list[Row]:
        """Up to `count` rows of the stream, oldest first."""
        if not self.sizes[stream]:
            return []
        found = self._database.execute(
            "SELECT stream, boot, seq, body FROM records WHERE stream = ? ORDER BY id LIMIT ?", (stream, count)
        )
        return [Row(*each) for each in found]

    def delete_through(self, stream: str, boot: str, seq: int) -> bool:
        """Delete the stream's rows up to and including (boot, seq); False when the file lacks that one."""
        found = self._database.execute(
            "SELECT id FROM records WHERE stream = ? AND boot = ? AND seq = ?", (stream, boot, seq)
        ).fetchone()
        if found is None:
            return False
        with self._consistently():
            self._delete(stream, found[0])
        return True

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextlib.contextmanager
    def _consistently(self) -> Generator[None]:
        """A transaction; after its failure `sizes` agrees with the file."""
        try:
            with self._database:
                yield
        except sqlite3.Error:
            self.sizes = self._measure()
            raise

    def _trim(self, stream: str, goal: int) -> int:
        excess = self.sizes[stream] - goal
        last = 0
        for row_id, size in self._database.execute(
            "SELECT id, LENGTH(body) FROM records WHERE stream = ? ORDER BY id", (stream,)
        ):
            if excess <= 0:
                break
            excess, last = excess - size, row_id
        return self._delete(stream, last)

    def _delete(self, stream: str, last: int) -> int:
        """Delete the stream's rows up to the one with the id `last`; gives how many."""
        where = "stream = ? AND id <= ?"
        size = self._database.execute(f"SELECT SUM(LENGTH(body)) FROM records WHERE {where}", (stream, last)).fetchone()
        self.sizes[stream] -= size[0] or 0
        return self._database.execute(f"DELETE FROM records WHERE {where}", (stream, last)).rowcount

    def _measure(self) -> dict[str, int]:
        sizes: dict[str, int] = dict.fromkeys(STREAMS, 0)
        sizes.update(self._database.execute("SELECT stream, SUM(LENGTH(body)) FROM records GROUP BY stream"))
        return sizes


def set_aside(path: Path, first: int) -> None:
    """Keep the waiting records of the runs before run `first` in the table `aside`, where nobody sends them.

    For a file that no outbox has open; doing it again changes nothing. Raises sqlite3.Error, with nothing changed.
    """
    with contextlib.closing(_open(path)) as database, database:
        # Certain before it returns: its caller goes on to send what is left.
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE IF NOT EXISTS aside AS SELECT * FROM records WHERE 0")
        # A run's name begins with its number.
        where = "CAST(boot AS INTEGER) < ?"
        database.execute(f"INSERT INTO aside SELECT * FROM records WHERE {where}", (first,))
        database.execute(f"DELETE FROM records WHERE {where}", (first,))


def boot_name(count: int) -> str:
    """A name for the run of the agent with this number."""
    # The random part tells two lives of a board apart when its state was wiped in between.
    return f"{count}-{secrets.token_hex(4)}"


def boots_so_far(path: Path) -> int:
    """How many runs the file knows of, read without writing; 0 when it cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return database.execute("SELECT COALESCE(MAX(count), 0) FROM boots").fetchone()[0]
    except sqlite3.Error:
        return 0


def _open(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
            raise
        # A torn file must not keep the board from starting; it stays aside for a later look.
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
