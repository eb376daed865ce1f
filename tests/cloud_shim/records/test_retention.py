"""How many records are kept, of whom."""

import pytest
from sqlalchemy import delete, select

from cloud_shim.records.excesses import Excesses
from cloud_shim.records.retention import Retention
from cloud_shim.tables import DeviceRow, RecordRow


@pytest.fixture
def excesses(database):
    return Excesses(database)


def fill(database, device, stream, count, first=0, body="{}"):
    with database.write() as session:
        if session.get(DeviceRow, device) is None:
            session.add(DeviceRow(name=device, board="b", credential="", created=0.0))
            session.flush()
        rows = {"device": device, "stream": stream, "boot": f"1-{stream}", "time": 0.0, "received": 0.0, "kind": "log"}
        session.add_all(RecordRow(**rows, seq=n, function="", body=body) for n in range(first, first + count))


def kept(database, device, stream):
    mine = (RecordRow.device == device) & (RecordRow.stream == stream)
    with database.read() as session:
        return list(session.scalars(select(RecordRow.seq).where(mine).order_by(RecordRow.id)))


def test_the_newest_of_each_stream_stay_and_a_chatty_neighbour_pushes_nothing_out(database, excesses, monkeypatch):
    monkeypatch.setattr("cloud_shim.records.retention._BATCH", 7)
    fill(database, "quiet", "logs", 3)
    fill(database, "chatty", "telemetry", 60)
    fill(database, "chatty", "logs", 11)
    retention = Retention(database, excesses, 10)
    assert retention.prune() == 51
    assert kept(database, "quiet", "logs") == [0, 1, 2]
    assert kept(database, "chatty", "telemetry") == list(range(50, 60))
    assert kept(database, "chatty", "logs") == list(range(1, 11))
    assert retention.prune() == 0
    assert excesses.known() == {}


def test_the_bytes_of_a_stream_are_limited_and_people_hear_of_it(database, excesses, monkeypatch):
    monkeypatch.setattr("cloud_shim.records.retention._BATCH", 3)
    retention = Retention(database, excesses, 1000, keep_bytes=10_000)
    fill(database, "quiet", "logs", 20, body="x" * 100)
    fill(database, "flood", "logs", 30, body="x" * 1000)
    assert retention.prune() == 20
    assert kept(database, "flood", "logs") == list(range(20, 30))
    assert kept(database, "quiet", "logs") == list(range(20))
    # The records since are measured on top of the ones before.
    fill(database, "flood", "logs", 4, first=30, body="x" * 1000)
    assert retention.prune() == 4
    assert kept(database, "flood", "logs") == list(range(24, 34))
    assert {key: each.number for key, each in excesses.known().items()} == {("flood", "logs"): 24}
    assert retention.prune() == 0


def test_what_went_by_number_counts_no_longer_as_bytes(database, excesses):
    retention = Retention(database, excesses, 5, keep_bytes=10_000)
    for turn in range(10):
        fill(database, "pi", "logs", 5, first=5 * turn, body="x" * 1000)
        retention.prune()
    assert kept(database, "pi", "logs") == list(range(45, 50))
    assert excesses.known() == {}


def test_a_device_that_came_again_is_measured_anew(database, excesses):
    retention = Retention(database, excesses, 1000, keep_bytes=10_000)
    fill(database, "pi", "logs", 10, body="x" * 1000)
    assert retention.prune() == 0
    with database.write() as session:
        session.execute(delete(RecordRow))
    fill(database, "pi", "logs", 5, first=10, body="x" * 1000)
    assert retention.prune() == 0
    assert kept(database, "pi", "logs") == list(range(10, 15))


def test_one_record_beyond_everything_goes(database, excesses):
    retention = Retention(database, excesses, 1000, keep_bytes=10)
    fill(database, "pi", "logs", 3, body="x" * 1000)
    assert retention.prune() == 3
    assert retention.prune() == 0
