"""From messages to rows."""

import json

import pytest

from cloud_shim.records import recording
from device.protocol import reported
from device.protocol.errors import ProtocolError
from device.protocol.messages import Batch
from tests import samples
from tests.samples import log

BOOT = "1-0123abcd"


def rows(*records):
    return recording.rows("pi", "logs", Batch(BOOT, list(records)), 2.0)


def test_a_record_becomes_a_row_in_the_order_of_the_batch():
    kept = rows(log(5, function="lamp", text="a"), log(3), log(9))
    assert [(row.seq, row.function, row.received) for row in kept] == [(5, "lamp", 2.0), (3, "", 2.0), (9, "", 2.0)]
    assert json.loads(kept[0].body)["text"] == "a"


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": None},
        {"kind": "\x00"},
        {"kind": "\ud800"},
        {"kind": "x" * 10_000},
        {"function": "../../etc"},
        {"function": ["lamp"]},
        {"time": 10**400},
    ],
)
def test_malformed_record_is_left_out_and_its_neighbours_are_kept(bad):
    assert [row.seq for row in rows(log(1), log(2, **bad), log(3))] == [1, 3]


def test_number_used_twice_in_one_batch_counts_once():
    assert [json.loads(row.body)["text"] for row in rows(log(1, text="a"), log(1, text="b"))] == ["a"]


@pytest.mark.parametrize("boot", ["", "1", "1-XYZ", "1-0123abcd\n", "-1-0123abcd", "\ud800-01234567"])
def test_batch_of_no_boot_is_refused(boot):
    with pytest.raises(ProtocolError, match="boot"):
        recording.rows("pi", "logs", Batch(boot, [log()]), 2.0)


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"part": "functions/lamp"}, ("function", "lamp")),
        ({"part": "models/presence"}, ("model", "presence")),
        ({"part": ""}, None),
        ({"part": "agents/lamplight"}, None),
        ({"part": "functions/../etc"}, None),
        ({"part": "x" * 1000}, None),
        ({"evidence": {"kind": "crashes", "function": "lamp"}}, ("function", "lamp")),
        ({"evidence": {"kind": "sensor", "sensor": "light"}}, None),
        ({"evidence": {"function": 5}}, None),
    ],
)
def test_what_a_device_blames_is_a_function_or_a_model(fields, blamed):
    record = {"kind": "update", "generation": 8, "state": "REVERTED", "reason": "why", **fields}
    (row,) = rows(log(1, **record))
    assert recording.outcome_of_record(row) == (8, "REVERTED", "why", blamed)
    told = samples.report()
    told["evidence"] = {"8": fields["evidence"]} if "evidence" in fields else {}
    told["update"] |= {"reason": "why", "part": "", **fields}
    outcomes = recording.outcomes_of_report(reported.parse(told))
    assert outcomes == [(7, "COMMITTED", "", None), (8, "REVERTED", "why", blamed)]


@pytest.mark.parametrize("part", [None, 5, ["functions/lamp"], {}])
def test_a_record_that_blames_nonsense_blames_nobody(part):
    (row,) = rows(log(1, kind="update", generation=8, state="REJECTED", reason="why", part=part))
    assert recording.outcome_of_record(row).blamed is None
