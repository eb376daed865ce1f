"""What people find of excesses later: after a restart, and not for ever."""

import pytest

from cloud_shim.records.excesses import TOLD, Excess, Excesses

DAY = 86400.0


@pytest.fixture
def now():
    return [100 * DAY]


@pytest.fixture
def excesses(database, now):
    return Excesses(database, lambda: now[0])


def test_a_restarted_shim_still_knows_them(excesses, database, now):
    excesses.note("tv", "sent", 3, 900)
    now[0] += 10
    excesses.note("tv", "sent", 2, 100)
    excesses.note("tv", "logs", 7)
    excesses.save()
    again = Excesses(database, lambda: now[0])
    expected = {("tv", "logs"): Excess(now[0], now[0], 7, 0), ("tv", "sent"): Excess(now[0] - 10, now[0], 5, 1000)}
    assert again.known() == expected
    # It counts on from there.
    again.note("tv", "sent", 1, 1)
    assert again.known()["tv", "sent"].number == 6


def test_they_are_told_for_a_day_after_their_end(excesses, database, now):
    excesses.note("tv", "sent", 3, 900)
    excesses.save()
    now[0] += TOLD + 1
    assert excesses.known() == {}
    excesses.save()
    assert Excesses(database, lambda: 100 * DAY).known() == {}
    excesses.note("tv", "sent", 1, 1)
    assert excesses.known()["tv", "sent"] == Excess(now[0], now[0], 1, 1)


def test_a_clock_that_ran_ahead_leaves_none_behind(excesses, now):
    now[0] += 1000 * DAY
    excesses.note("tv", "sent", 3, 900)
    now[0] -= 1000 * DAY
    assert excesses.known() == {}
