"""How far a download is, as people read it."""

import pytest

from cloud_shim.words.transfer import Transfer, of, travelled
from device.protocol.reported import ReportedUpdate


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


def update(state, stored, total, **more):
    return ReportedUpdate(8, state, "", stored, total, **more)


@pytest.mark.parametrize("told", [update("IDLE", 0, 0), update("STAGED", 5, 5), update("FETCHING", 0, 0)])
def test_what_is_no_download_has_no_progress(told):
    assert of(told) is None


def test_an_agent_that_tells_no_rate_is_read():
    assert of(update("FETCHING", 1, 2)) == Transfer(1, 2, 0)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (update("COMMITTED", 90, 90, whole=51_200), "90 B travelled instead of 51 kB"),
        (update("COMMITTED", 51_200, 51_200, whole=51_200), "51 kB travelled"),
        (update("COMMITTED", 51_200, 51_200), "51 kB travelled"),
    ],
    ids=["patch", "whole", "an-agent-that-does-not-tell"],
)
def test_what_travelled_is_told_with_what_it_saved(told, text):
    assert travelled(told).text == text


def test_where_nothing_travelled_nothing_is_told():
    assert travelled(update("COMMITTED", 0, 0)) is None
