"""When the next attempt to connect comes; the rest of the pump is tested with the two sessions."""

import pytest

from device.link import pump


def test_pauses_grow_with_the_failures_and_never_beyond_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump.random, "uniform", lambda least, most: most)
    assert [pump.retry_delay(failures, 10.0) for failures in range(8)] == [0.25, 0.5, 1, 2, 4, 8, 10, 10]
    assert pump.retry_delay(10**9, 30.0) == 30.0
