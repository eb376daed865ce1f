"""What is noticed about a backlog that is not complete."""

import pytest

from cloud_shim.demo.backlog import problems, summary


def records(*seqs, boot="1-a", stream="telemetry"):
    return [{"boot": boot, "stream": stream, "seq": seq, "time": 100.0 + seq, "kind": "decision"} for seq in seqs]


def test_two_boots_and_two_streams_interleaved_are_well():
    arrived = [
        *records(4, 5, 8),
        *records(6, 7, stream="logs"),
        *records(1, 2, boot="2-b"),
        *records(9),
    ]
    assert problems(arrived, 105) == []
    assert summary(arrived) == "8 decisions among 8 records of 2 boots, no gap, none twice"


@pytest.mark.parametrize(
    ("arrived", "told"),
    [
        (records(1, 2, 4, 5), "records 3 to 3 of boot 1-a are missing"),
        (records(1, 2, 2, 3), "record 2 of boot 1-a came twice"),
        (records(1, 3, 2, 4), "telemetry 2 of boot 1-a came after 3"),
        ([], "nothing newer has arrived"),
        (records(1), "nothing newer has arrived"),
    ],
)
def test_what_is_wrong_is_said(arrived, told):
    assert problems(arrived, 101.5) == [told]
