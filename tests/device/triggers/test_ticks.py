"""Ticks: no drift, none twice."""

from hypothesis import given
from hypothesis import strategies as st

from device.triggers.ticks import due, ticks


@given(st.floats(0, 1e6), st.floats(0.01, 3600), st.integers(0, 1_000_000))
def test_a_tick_has_passed_exactly_when_it_is_due(start, period, tick):
    assert ticks(start, period, due(start, period, tick)) == tick


def test_just_before_a_tick_it_has_not_passed():
    assert ticks(10.0, 0.2, 10.39) == 1
