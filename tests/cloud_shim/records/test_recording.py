"""From messages to rows."""

import json

import pytest

from cloud_shim.records import recording
from device.protocol.errors import ProtocolError
from device.protocol.messages import Batch
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
