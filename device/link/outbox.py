"""The durable outbox: telemetry, logs and events wait here until the shim has acknowledged them.

A record becomes JSON when somebody looks at it: its maker has an event to get on with. It waits in memory first and
goes to the file (record_file.py) if LINGER passes without an acknowledgement. So with a shim there, nothing is written:
an SD card does not live long under a transaction per reading. A kill or a power cut loses at most the last LINGER
seconds of unacknowledged records; an orderly end loses nothing. Each stream has a budget in bytes; beyond it the oldest
records go, and a record of kind "dropped" says how many.
Sending is uplink.py's.
"""

import json
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from device.link.record_file import RecordFile, Row, boot_name, boots_so_far
from device.protocol.topics import STREAMS

BUDGETS: Mapping[str, int] = {"telemetry": 32 << 20, "logs": 8 << 20, "events": 8 << 20}
# A record's time in memory to be acknowledged, in seconds.
LINGER = 1.0
# Records in memory, at most; beyond that the disk has stalled and the oldest are dropped.
MAX_PENDING = 10_000
MAX_RECORD = 64 * 1024
# The bytes of each stream in memory, at most, when there is no file.
MEMORY_BUDGET = 1 << 20

_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_log = logging.getLogger(__name__)


@dataclass
class _Pending:
    """A record in memory. `added` is in seconds of the monotonic clock."""

    stream: str
    boot: str
    seq: int
    record: dict[str, object]
    added: float

    @cached_property
    def row(self) -> Row:
        """As it travels."""
        return Row(self.stream, self.boot, self.seq, _encode(self.record))


class Outbox:
    """Open with `Outbox(path)`; `boot` names this run of the agent, `boots` counts the runs.

    Thread-safe. `clock` gives seconds since 1970, `monotonic` the time LINGER is measured in.
    """

    def __init__(
        self,
        path: Path,
        budgets: Mapping[str, int] = BUDGETS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        # Guards the records in memory; held for moments only.
        self._condition = threading.Condition()
        self._pending: deque[_Pending] = deque()
        self._dropped: dict[str, int] = {}
        self._seq = 0
        self._flush_to = 0
        # How many threads wait in `flush`, and whether the writer waits for a first record.
        self._flushing = 0
        self._writer_idle = False
        self._closing = False
        self._failing = False
        self._listener: Callable[[], None] = lambda: None
        # Guards the file, and the moves between it and memory; taken before the condition, never inside it.
        self._lock = threading.Lock()
        self._file, self.boots, self.boot = _open(path, budgets)
        self._writer = threading.Thread(target=self._write_loop, name="outbox", daemon=True)
        self._writer.start()

    def on_append(self, listener: Callable[[], None]) -> None:
        """Call `listener`, on the appending thread, whenever there is something new to send."""
        self._listener = listener

    def append(self, stream: str, kind: str, fields: Mapping[str, object]) -> None:
        """Add one record, unchanged from then on; returns at once.

        A record too long, or unfit for JSON, is replaced by a note of that.
        """
        with self._condition:
            self._add(stream, kind, fields)
        self._listener()

    def flush(self) -> None:
        """Write the records in memory to the file, as far as the disk takes them."""
        with self._condition:
            goal = self._flush_to = self._seq
            self._condition.notify_all()
            self._flushing += 1
            self._condition.wait_for(lambda: not self._pending or self._pending[0].seq > goal, timeout=10)
            self._flushing -= 1

    def next_batch(self, stream: str, records: int = 500, size: int = 96 * 1024) -> list[Row]:
        """The oldest waiting records of `stream`: of one boot, at most `records`, about `size` bytes in all."""
        with self._lock:
            # Every record in the file is older than those in memory.
            return _take(self._file.oldest(stream, records) or self._in_memory(stream)[:records], size)

    def acknowledge(self, stream: str, boot: str, seq: int) -> bool:
        """Forget the records of `stream` up to and including (boot, seq); False unless that one was waiting."""
        with self._lock:
            in_file = self._file.delete_through(stream, boot, seq)
            in_memory = boot == self.boot and self._forget(stream, seq)
            return in_file or in_memory

    def waiting(self) -> dict[str, int]:
        """How many bytes wait in each stream."""
        with self._lock:
            return {s: n + sum(len(row.body) for row in self._in_memory(s)) for s, n in self._file.sizes.items()}

    def close(self) -> None:
        """Write the records in memory and close the file."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._writer.join()
        with self._lock:
            self._file.close()

    # In memory

    def _add(self, stream: str, kind: str, fields: Mapping[str, object]) -> None:
        if stream not in STREAMS:
            raise ValueError(f"unknown stream {stream!r}")
        self._seq += 1
        record = {"seq": self._seq, "time": round(self._clock(), 3), "kind": kind, **fields}
        self._pending.append(_Pending(stream, self.boot, self._seq, record, self._monotonic()))
        if len(self._pending) > MAX_PENDING:
            self._count_dropped({self._pending.popleft().stream: 1})
        # With a time set, the writer looks in time by itself: waking it for every record costs more than the record.
        if self._writer_idle:
            self._condition.notify_all()

    def _in_memory(self, stream: str) -> list[Row]:
        with self._condition:
            found = [each for each in self._pending if each.stream == stream]
        # Outside of it, for an event may wait to add its record.
        return [each.row for each in found]

    def _forget(self, stream: str, seq: int) -> bool:
        with self._condition:
            before = list(self._pending)
            self._pending = deque(each for each in before if each.stream != stream or each.seq > seq)
            if self._flushing:
                self._condition.notify_all()
            return any(each.stream == stream and each.seq == seq for each in before)

    def _count_dropped(self, dropped: Mapping[str, int]) -> None:
        for stream, count in dropped.items():
            self._dropped[stream] = self._dropped.get(stream, 0) + count

    # To the file, on the writer's thread

    def _write_loop(self) -> None:
        while self._wait_until_due():
            with self._lock:
                with self._condition:
                    pending = list(self._pending)
                rows = [each.row for each in pending]
                dropped = self._store(rows)
                with self._condition:
                    self._settle(rows, dropped)

    def _wait_until_due(self) -> bool:
        """Return when the oldest record in memory must be written; False at the end, with memory empty."""
        with self._condition:
            while True:
                if not self._pending:
                    if self._closing:
                        return False
                    self._writer_idle = True
                    self._condition.wait()
                    self._writer_idle = False
                    continue
                oldest = self._pending[0]
                left = LINGER - (self._monotonic() - oldest.added)
                if self._closing or left <= 0 or oldest.seq <= self._flush_to:
                    return True
                self._condition.wait(left)

    def _store(self, rows: Sequence[Row]) -> dict[str, int]:
        """Write the rows; gives the number of records lost by it, by stream."""
        try:
            dropped = self._file.add(rows)
        except sqlite3.Error:
            return self._make_room_and_store(rows)
        self._failing = False
        return dropped

    def _make_room_and_store(self, rows: Sequence[Row]) -> dict[str, int]:
        # Most likely a full disk: old telemetry makes room; if that is not enough, these records are lost.
        try:
            gone = self._file.halve("telemetry")
            dropped = self._file.add(rows)
            return {**dropped, "telemetry": dropped.get("telemetry", 0) + gone}
        except sqlite3.Error as error:
            if not self._failing:
                # Said once until it works again: this very line is a record too.
                _log.error("Records are being lost, the outbox cannot be written: %s", error)
            self._failing = True
            return {stream: sum(row.stream == stream for row in rows) for stream in STREAMS}

    def _settle(self, rows: Sequence[Row], dropped: Mapping[str, int]) -> None:
        """The rows have left memory; tell the losses, unless even this note would be lost."""
        last = rows[-1].seq
        while self._pending and self._pending[0].seq <= last:
            self._pending.popleft()
        self._count_dropped(dropped)
        if not self._failing:
            told, self._dropped = self._dropped, {}
            for stream, count in told.items():
                if count:
                    self._add("events", "dropped", {"stream": stream, "count": count})
        self._condition.notify_all()


def _open(path: Path, budgets: Mapping[str, int]) -> tuple[RecordFile, int, str]:
    """The file with the number and the name of this run; one in memory when the disk takes nothing."""
    try:
        file = RecordFile(path, budgets)
        return file, *file.next_boot()
    except sqlite3.Error as error:
        # A full disk must not keep the functions from running.
        _log.error("The outbox %s cannot be written (%s): until the next start records wait in memory", path, error)
        count = boots_so_far(path) + 1
        return RecordFile(Path(":memory:"), dict.fromkeys(budgets, MEMORY_BUDGET)), count, boot_name(count)


def _take(rows: Sequence[Row], size: int) -> list[Row]:
    taken: list[Row] = []
    for row in rows:
        if taken and (row.boot != taken[0].boot or size < len(row.body)):
            break
        size -= len(row.body)
        taken.append(row)
    return taken


def _encode(record: dict[str, object]) -> str:
    try:
        body = _ENCODER.encode(record)
    except (ValueError, TypeError, RecursionError) as error:
        return _note(record, f"not JSON: {error}")
    return body if len(body) <= MAX_RECORD else _note(record, f"{len(body)} bytes; at most {MAX_RECORD}")


def _note(record: dict[str, object], why: str) -> str:
    kept = {key: record[key] for key in ("seq", "time")}
    who = {"function": record.get("function", ""), "version": record.get("version", 0)}
    text = f"a record of kind {record['kind']} could not be kept: {why}"
    return json.dumps({**kept, "kind": "log", **who, "level": "warning", "text": text}, separators=(",", ":"))
