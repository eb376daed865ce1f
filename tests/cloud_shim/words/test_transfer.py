"""How far a download is, as people read it."""

import pytest

from cloud_shim.words.transfer import Transfer, of, travelled


@pytest.mark.parametrize(
    ("transfer", "text"),
    [
        (Transfer(16_800_000, 67_100_000, 3_100_000), "16.8 MB of 67.1 MB, 3.1 MB/s, 16 s left"),
        (Transfer(0, 67_100_000, 20_000), "0 B of 67.1 MB, 20 kB/s, 56 min left"),
        (Transfer(0, 67_100_000, 900), "0 B of 67.1 MB, 900 B/s, 21 h left"),
        (Transfer(500, 1000), "500 B of 1 kB"),
        (Transfer(9, 3, 1), "9 B of 3 B, 1 B/s, 0 s left"),
    ],
)
def test_bytes_rate_and_time_left_as_far_as_they_are_known(transfer, text):
    assert transfer.text == text
    assert 0 <= transfer.share <= 1


@pytest.mark.parametrize(
    "update", [{}, {"state": "STAGED", "bytes": 5, "total": 5}, {"state": "FETCHING", "bytes": 0, "total": 0}]
)
def test_what_is_no_download_has_no_progress(update):
    assert of(update) is None


def test_an_agent_that_tells_no_rate_is_read():
    assert of({"state": "FETCHING", "bytes": 1, "total": 2}) == Transfer(1, 2, 0)


@pytest.mark.parametrize(
    ("update", "text"),
    [
        ({"bytes": 90, "total": 90, "whole": 51_200}, "90 B travelled instead of 51 kB"),
        ({"bytes": 51_200, "total": 51_200, "whole": 51_200}, "51 kB travelled"),
        ({"bytes": 51_200, "total": 51_200}, "51 kB travelled"),
    ],
    ids=["patch", "whole", "an-agent-that-does-not-tell"],
)
def test_what_travelled_is_told_with_what_it_saved(update, text):
    assert travelled(update).text == text


def test_where_nothing_travelled_nothing_is_told():
    assert travelled({"bytes": 0, "total": 0, "whole": 0}) is None
    assert travelled({}) is None
