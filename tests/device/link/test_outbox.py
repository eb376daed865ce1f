"""The outbox: order, once each, bounded, and what a kill or a torn file leaves."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.link.outbox import LINGER, Outbox
from device.link.record_file import RecordFile, Row
from device.protocol import records as record_kinds
from tests.support import until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    box = Outbox(path)
    yield box
    box.close()


def bodies(rows: list[Row]) -> list[dict[str, object]]:
    return [json.loads(row.body) for row in rows]


def test_records_come_back_in_order_with_seq_time_and_kind(outbox: Outbox) -> None:
    for n in range(5):
        outbox.append("telemetry", "reading", {"lux": n})
    outbox.flush()
    found = bodies(outbox.next_batch("telemetry"))
    assert [each["lux"] for each in found] == list(range(5))
    assert [each["seq"] for each in found] == [1, 2, 3, 4, 5]
    assert all(isinstance(each["time"], float) and each["kind"] == "reading" for each in found)


def test_a_batch_stays_until_it_is_acknowledged(outbox: Outbox) -> None:
    for n in range(4):
        outbox.append("logs", "log", {"text": str(n)})
    outbox.flush()
    first = outbox.next_batch("logs", records=2)
    assert outbox.next_batch("logs", records=2) == first
    assert outbox.acknowledge("logs", first[-1].boot, first[-1].seq)
    assert [row.seq for row in outbox.next_batch("logs")] == [3, 4]


def test_an_acknowledgement_of_nothing_we_hold_deletes_nothing(outbox: Outbox) -> None:
    outbox.append("logs", "log", {"text": "kept"})
    outbox.flush()
    assert not outbox.acknowledge("logs", outbox.boot, 99)
    assert not outbox.acknowledge("logs", "other-boot", 1)
    assert not outbox.acknowledge("events", outbox.boot, 1)
    assert len(outbox.next_batch("logs")) == 1


def test_a_batch_never_mixes_boots_and_keeps_their_order(path: Path) -> None:
    for _ in range(2):
        box = Outbox(path)
        box.append("events", "update", {})
        box.close()
    box = Outbox(path)
    first = box.next_batch("events")
    assert len(first) == 1
    assert box.acknowledge("events", first[0].boot, first[0].seq)
    second = box.next_batch("events")
    assert int(second[0].boot.split("-")[0]) == int(first[0].boot.split("-")[0]) + 1
    box.close()


def test_the_oldest_go_when_the_budget_is_full_and_the_loss_is_told(path: Path) -> None:
    box = Outbox(path, budgets={"telemetry": 4000, "logs": 4000, "events": 100_000})
    box.append("logs", "log", {"text": "untouched"})
    for n in range(200):
        box.append("telemetry", "reading", {"lux": n})
        box.flush()
    box.flush()
    kept = [each["lux"] for each in bodies(box.next_batch("telemetry"))]
    told = sum(each["count"] for each in bodies(box.next_batch("events")) if each["kind"] == "dropped")  # type: ignore[misc]
    assert kept == list(range(200 - len(kept), 200))
    assert told == 200 - len(kept)
    assert len(box.next_batch("logs")) == 1
    assert box.waiting()["telemetry"] <= 4000
    box.close()


@given(st.lists(st.tuples(st.sampled_from(["telemetry", "logs", "events"]), st.integers(0, 300)), max_size=30))
def test_the_sizes_are_what_the_file_holds(records: list[tuple[str, int]]) -> None:
    box = Outbox(Path(":memory:"), budgets={"telemetry": 1000, "logs": 1500, "events": 50_000})
    for stream, length in records:
        box.append(stream, "log", {"text": "x" * length})
    box.flush()
    for row in box.next_batch("logs", records=3)[-1:]:
        box.acknowledge("logs", row.boot, row.seq)
    box.flush()
    assert box.waiting() == box._file._measure()  # pyright: ignore[reportPrivateUsage]
    box.close()


@pytest.mark.parametrize("hostile", [{"x": float("nan")}, {"x": object()}, {"x": "y" * 100_000}])
def test_a_record_that_cannot_be_sent_is_replaced_by_a_note(outbox: Outbox, hostile: dict[str, object]) -> None:
    outbox.append("events", "publish", hostile)
    outbox.append("events", "publish", {"x": 1})
    outbox.flush()
    first, second = bodies(outbox.next_batch("events"))
    assert (first["kind"], first["level"]) == ("log", "warning")
    assert first["text"].startswith("a record of kind publish could not be kept: ")
    record_kinds.check(first)
    assert second["x"] == 1


def test_a_torn_file_is_put_aside_and_the_board_starts(path: Path) -> None:
    path.write_bytes(b"this was never a database" * 100)
    box = Outbox(path)
    box.append("logs", "log", {"text": "new life"})
    box.close()
    assert path.with_name("outbox.db.corrupt").exists()


def test_what_was_written_survives_a_kill(path: Path) -> None:
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from device.link.outbox import Outbox
        box = Outbox(Path(sys.argv[1]))
        for n in range(100):
            box.append("telemetry", "reading", {"lux": n})
        box.flush()
        print("written", flush=True)
        time.sleep(600)
    """)
    child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, env={**os.environ})
    assert child.stdout is not None
    assert child.stdout.readline() == b"written\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    box = Outbox(path)
    assert len(box.next_batch("telemetry")) == 100
    box.close()


def test_a_disk_that_refuses_loses_only_what_it_must_and_recovers(path: Path) -> None:
    box = Outbox(path)
    box.append("logs", "log", {"text": "before"})
    box.flush()
    pages = box._file._database.execute("PRAGMA page_count").fetchone()[0]  # pyright: ignore[reportPrivateUsage]
    box._file._database.execute(f"PRAGMA max_page_count = {pages}")  # pyright: ignore[reportPrivateUsage]
    for n in range(50):
        box.append("logs", "log", {"text": f"{n}" * 1000})
    box.flush()
    box._file._database.execute("PRAGMA max_page_count = 100000")  # pyright: ignore[reportPrivateUsage]
    box.append("logs", "log", {"text": "after"})
    box.flush()
    texts = [each["text"] for each in bodies(box.next_batch("logs", size=1 << 20))]
    assert texts[0] == "before"
    assert texts[-1] == "after"
    box.append("logs", "log", {"text": "the note has its turn"})
    box.flush()
    lost = sum(each["count"] for each in bodies(box.next_batch("events")) if each["kind"] == "dropped")  # type: ignore[misc]
    assert lost >= 50 + 2 - len(texts)
    box.close()


def rows_on_disk(path: Path) -> int:
    return int(sqlite3.connect(path).execute("SELECT COUNT(*) FROM records").fetchone()[0])


class Stopped:
    """A clock that stands until it is told the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_acknowledged_in_time_never_touches_the_disk(path: Path) -> None:
    box = Outbox(path, monotonic=Stopped())
    for n in range(100):
        box.append("telemetry", "reading", {"lux": n})
        sent = box.next_batch("telemetry")
        assert box.acknowledge("telemetry", box.boot, sent[-1].seq)
    assert rows_on_disk(path) == 0
    assert box.waiting()["telemetry"] == 0
    box.close()
    assert rows_on_disk(path) == 0


def test_what_is_not_acknowledged_in_time_is_written(path: Path) -> None:
    clock = Stopped()
    box = Outbox(path, monotonic=clock)
    box.append("telemetry", "reading", {"lux": 1})
    clock.now = LINGER
    # Only the first in an empty memory wakes the writer.
    box.acknowledge("telemetry", box.boot, 0)
    until(lambda: rows_on_disk(path) == 1, "the record is in the file")
    box.append("telemetry", "reading", {"lux": 2})
    assert [each["lux"] for each in bodies(box.next_batch("telemetry"))] == [1]
    assert box.acknowledge("telemetry", box.boot, 1)
    assert [each["lux"] for each in bodies(box.next_batch("telemetry"))] == [2]
    box.close()


def test_a_second_connection_can_read_while_it_runs(outbox: Outbox, path: Path) -> None:
    outbox.append("events", "update", {})
    outbox.flush()
    assert sqlite3.connect(path).execute("SELECT COUNT(*) FROM records").fetchone() == (1,)


def test_a_full_disk_at_the_start_does_not_keep_the_board_from_starting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Outbox(path)
    before.close()
    with monkeypatch.context() as patch:

        def full(_file: RecordFile) -> tuple[int, str]:
            raise sqlite3.OperationalError("database or disk is full")

        patch.setattr(RecordFile, "next_boot", full)
        box = Outbox(path)
        box.append("logs", "log", {"text": "kept in memory"})
        assert [each["text"] for each in bodies(box.next_batch("logs"))] == ["kept in memory"]
        assert box.boots == before.boots + 1
        box.close()
    after = Outbox(path)
    assert after.boots == before.boots + 1
    after.close()


def test_what_a_later_version_of_the_agent_added_does_not_keep_this_one_from_its_records(path: Path) -> None:
    """That version was given up; its records and those from before are sent by this one."""
    before = Outbox(path)
    before.append("telemetry", "reading", {"lux": 1})
    before.close()
    later = sqlite3.connect(path)
    later.execute("CREATE TABLE later (id INTEGER PRIMARY KEY, what TEXT)")
    later.execute("ALTER TABLE records ADD COLUMN later TEXT DEFAULT ''")
    later.commit()
    later.close()
    after = Outbox(path)
    assert not path.with_name("outbox.db.corrupt").exists()
    assert [body["lux"] for body in bodies(after.next_batch("telemetry"))] == [1]
    after.close()
