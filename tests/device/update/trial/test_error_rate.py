"""When more errors than before are more than chance."""

import random

import pytest

from device.update.trial import error_rate


def worse(errors, events, old_errors=0, old_events=0, least=0):
    return error_rate.worse(errors, events, old_errors, old_events, least)


@pytest.mark.parametrize(
    ("errors", "events", "expected"), [(1, 1, False), (2, 2, False), (3, 3, True), (2, 4, False), (51, 100, True)]
)
def test_without_an_old_version_more_than_half_are_too_many(errors, events, expected):
    assert worse(errors, events) == expected


def test_fewer_events_than_the_deployment_asks_for_say_nothing():
    assert not worse(9, 9, least=10)
    assert worse(10, 10, least=10)


def test_what_failed_mostly_before_may_fail_mostly():
    assert not worse(100, 100, 8, 10)
    assert not worse(10_000, 10_000, 1000, 1000)


def test_one_error_never_decides():
    assert not worse(1, 1, 0, 1_000_000)


@pytest.mark.parametrize("old_events", [error_rate.ENOUGH, 1000])
def test_a_version_that_only_fails_is_seen_at_once_where_the_old_one_never_did(old_events):
    assert worse(3, 3, 0, old_events)


def test_two_bad_events_in_three_say_little_where_every_third_failed_before():
    assert not worse(2, 3, 300, 1000)


@pytest.mark.parametrize("old_events", [3, 10, 30])
def test_the_less_is_known_of_the_old_one_the_more_is_allowed(old_events):
    assert error_rate.allowed(0, old_events) > error_rate.allowed(0, 2 * old_events)


def test_counts_without_end_are_judged():
    assert worse(2**50, 2**52, 1, 2**52)
    assert not worse(2**50, 2**52, 2**51, 2**52)


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.45])
def test_a_version_that_is_no_worse_is_seldom_called_worse_though_it_is_looked_at_after_every_event(rate):
    chance = random.Random(1)
    false = sum(called_worse(chance, rate, rate, 500) for _ in range(300))
    # RISK, and the 5 % in which the old counts lie above their bound.
    assert false <= 300 * (error_rate.RISK + 0.05)


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.35])
def test_a_version_twice_as_bad_is_found_in_time(rate):
    chance = random.Random(2)
    found = sum(called_worse(chance, rate, 2 * rate, 1000) for _ in range(100))
    assert found >= 90


def called_worse(chance, old, new, length):
    old_errors = sum(chance.random() < old for _ in range(1000))
    errors = 0
    for events in range(1, length + 1):
        errors += chance.random() < new
        if worse(errors, events, old_errors, 1000, least=100):
            return True
    return False


@pytest.mark.parametrize(
    ("errors", "events", "bound"),
    [(0, 30, 0.0827), (3, 30, 0.2255), (60, 300, 0.2406), (150, 300, 0.5472), (0, 100_000, error_rate.LEAST_RATE)],
)
def test_the_allowed_rate_is_the_upper_bound_of_wilsons_score(errors, events, bound):
    assert error_rate.allowed(errors, events) == pytest.approx(bound, abs=0.0001)


def test_what_only_failed_is_allowed_to_go_on_failing_and_no_more():
    assert error_rate.allowed(100, 100) == pytest.approx(1.0)
    assert error_rate.allowed(100, 100) < 1.0


@pytest.mark.parametrize(
    ("errors", "events", "old", "expected"),
    [
        (2, 3, (0, 29), True),
        (2, 3, (15, 29), False),
        (2, 3, (14, 28), True),
        (2, 3, (0, 30), False),
    ],
)
def test_from_so_many_old_events_on_the_rates_are_compared(errors, events, old, expected):
    assert error_rate.worse(errors, events, *old, 3) == expected


@pytest.mark.parametrize(
    ("old", "first"), [((0, 1000), 2), ((60, 300), 5), ((150, 300), 11), ((10, 1000), 2), ((270, 300), 134)]
)
def test_so_many_failures_in_a_row_decide(old, first):
    assert [error_rate.worse(n, n, *old, 0) for n in (first - 1, first)] == [False, True]


def test_twice_the_allowed_rate_decides_where_failing_mostly_does_not():
    """Half fail, and 24 % are allowed: each pair of events weighs log 2 + log (0.52 / 0.76), and 5.3 is asked for."""
    assert [error_rate.worse(n, 2 * n, 60, 300, 0) for n in (16, 17)] == [False, True]
