"""The backoff's ceiling and jitter."""

from hypothesis import given
from hypothesis import strategies as st

from device.runtime.backoff import Backoff


def failed(times, backoff=None):
    backoff = backoff or Backoff(first=1, longest=60, healthy=30)
    for _ in range(times):
        backoff = backoff.failed(ran=0)
    return backoff


def test_the_ceiling_doubles_up_to_the_longest():
    assert [failed(n).ceiling() for n in range(9)] == [0, 0, 1, 2, 4, 8, 16, 32, 60]


def test_a_worker_that_ran_long_enough_starts_over():
    assert failed(6).failed(ran=30).ceiling() == 0
    assert failed(7).failed(ran=29).ceiling() == 60


def test_failing_for_months_neither_overflows_nor_grows():
    assert failed(10_000).ceiling() == 60


@given(st.integers(0, 100), st.floats(0, 1, exclude_max=True))
def test_the_delay_lies_between_zero_and_the_ceiling(times, draw):
    backoff = failed(times)
    assert 0 <= backoff.delay(draw) <= backoff.ceiling()
