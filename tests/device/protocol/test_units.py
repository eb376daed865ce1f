"""Durations as manifests write them."""

import pytest

from device.protocol import units
from device.protocol.errors import ProtocolError


@pytest.mark.parametrize(
    ("text", "seconds"), [("200ms", 0.2), ("2s", 2.0), ("5m", 300.0), ("1h", 3600.0), ("999999s", 999999.0)]
)
def test_a_duration_is_read(text, seconds):
    assert units.duration(text, "timeout") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "2", "0s", "-1s", "1.5s", " 2s", "2 s", "1000000s", "2d", "٣s", "1h2m"])
def test_any_other_text_is_refused(text):
    with pytest.raises(ProtocolError, match=r"^timeout: .* is not a duration"):
        units.duration(text, "timeout")


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("999999", 999999), ("1000000", 0), ("", 0), ("x", 0)])
def test_a_count_has_at_most_six_digits(text, number):
    assert units.count(text) == number
