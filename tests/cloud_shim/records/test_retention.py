"""How many records are kept, of whom."""

import pytest
from sqlalchemy import select

from cloud_shim.database import Database, DeviceRow, RecordRow
from cloud_shim.records import retention


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path}/shim.db")
    yield made
    made.close()


def fill(database, device, stream, count):
    with database.write() as session:
        if session.get(DeviceRow, device) is None:
            session.add(DeviceRow(name=device, board="b", credential="", created=0.0))
            session.flush()
        rows = {"device": device, "stream": stream, "boot": f"1-{stream}", "time": 0.0, "received": 0.0, "kind": "log"}
        session.add_all(RecordRow(**rows, seq=n, function="", body="{}") for n in range(count))


def kept(database, device, stream):
    mine = (RecordRow.device == device) & (RecordRow.stream == stream)
    with database.read() as session:
        return list(session.scalars(select(RecordRow.seq).where(mine).order_by(RecordRow.id)))


def test_the_newest_of_each_stream_stay_and_a_chatty_neighbour_pushes_nothing_out(database, monkeypatch):
    monkeypatch.setattr(retention, "_BATCH", 7)
    fill(database, "quiet", "logs", 3)
    fill(database, "chatty", "telemetry", 60)
    fill(database, "chatty", "logs", 11)
    assert retention.prune(database, 10) == 51
    assert kept(database, "quiet", "logs") == [0, 1, 2]
    assert kept(database, "chatty", "telemetry") == list(range(50, 60))
    assert kept(database, "chatty", "logs") == list(range(1, 11))
    assert retention.prune(database, 10) == 0
