"""Records over HTTP."""

import pytest

from cloud_shim.records.budgets import Message
from device.protocol.messages import Batch
from tests import samples


@pytest.fixture
def records(http, shim):
    def send(device, stream, *seqs, **fields):
        batch = Batch("1-0123abcd", [samples.log(seq, **fields) for seq in seqs])
        shim.ingest.receive(Message.of(f"lamplight/1/home/d/{device}/up/{stream}", batch.encode(), False))

    http.post("/api/devices", json={"name": "tv", "board": "lamplight/simulated", "simulation": None})
    send("pi", "logs", *range(10), function="lamp", text="hello")
    send("pi", "telemetry", *range(10, 20))
    send("tv", "logs", *range(10))
    return lambda query="": http.get(f"/api/records?{query}")


def seqs(answer):
    return [record["seq"] for record in answer.json()["records"]]


def test_a_record_is_what_the_device_sent_and_what_the_shim_knows(records):
    record = records("limit=1&device=pi&stream=logs").json()["records"][0]
    assert record.pop("received") > 0
    assert record == {
        "id": 10,
        "device": "pi",
        "stream": "logs",
        "boot": "1-0123abcd",
        "seq": 9,
        "time": 1.5,
        "kind": "log",
        "function": "lamp",
        "version": 0,
        "level": "info",
        "text": "hello",
    }


def test_the_last_ones_come_oldest_first_and_can_be_followed(records):
    assert seqs(records("device=pi&limit=3")) == [17, 18, 19]
    assert seqs(records("device=pi&after=0&limit=3")) == [0, 1, 2]
    assert seqs(records("device=pi&after=18")) == [18, 19]
    assert seqs(records("after=999")) == []


def test_the_pages_before_a_record_can_be_turned_back(records):
    ids = [each["id"] for each in records("device=pi").json()["records"]]
    assert seqs(records(f"device=pi&before={ids[-1]}&limit=2")) == [17, 18]
    assert seqs(records(f"device=pi&before={ids[0]}")) == []
    assert records("before=x").status_code == 400


def test_filters_combine_and_empty_ones_mean_any(records):
    assert len(seqs(records("device=&stream=&function="))) == 30
    assert seqs(records("function=lamp&stream=logs&device=pi")) == list(range(10))
    assert seqs(records("device=pi' OR '1'='1")) == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=5001", "limit=x", "after=-1", "after=1e3", f"after={'9' * 30}", "limit=٣"]
)
def test_malformed_number_is_refused(records, query):
    assert records(query).status_code == 400
