"""What is noticed about a backlog that is not complete."""

import pytest

from cloud_shim.cli.demo.backlog import problems, summary


def record(seq, kind="log", boot="1-a", stream="logs", **fields):
    return {"boot": boot, "stream": stream, "seq": seq, "time": 100.0 + seq, "kind": kind, **fields}


def records(*seqs, **fields):
    return [record(seq, **fields) for seq in seqs]


def decision(seq, number, **fields):
    return record(seq, "decision", stream="telemetry", function="night-light", event=f"night-light-{number}", **fields)


def test_two_boots_and_two_streams_interleaved_are_well():
    arrived = [
        *(decision(4, 17), decision(5, 18), decision(8, 19)),
        *records(6, 7),
        *(decision(1, 1, boot="2-b"), decision(2, 2, boot="2-b")),
        *records(9),
    ]
    assert problems(arrived, 105) == []
    assert summary(arrived) == "5 decisions among 8 records of 2 boots, no gap, none twice"


@pytest.mark.parametrize(
    ("arrived", "told"),
    [
        (records(1, 2, 4, 5), "boot 1-a: record 3 to 3 missing"),
        (records(1, 2, 2, 3), "boot 1-a: record 2 came twice"),
        (records(1, 3, 2, 4), "logs 2 of boot 1-a came after 3"),
        ([decision(1, 7), decision(2, 9)], "boot 1-a: event night-light 8 to 8 missing"),
        ([decision(1, 7), decision(2, 7)], "boot 1-a: event night-light 7 came twice"),
        ([], "nothing newer has arrived"),
        (records(1), "nothing newer has arrived"),
    ],
)
def test_what_is_wrong_is_said(arrived, told):
    assert problems(arrived, 101.5) == [told]
