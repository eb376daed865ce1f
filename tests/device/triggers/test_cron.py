"""The cron trigger under a clock of the test's: which may jump, stand in 1970, or be set back."""

import threading
from datetime import UTC, datetime

from device.calendar import Calendar
from device.protocol.triggers import CronTrigger
from device.triggers.cron import LATEST, Cron, Watch

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()


def delivered(schedule, begin, times):
    """What is delivered when the clock is looked at at these times, relative to `begin`."""
    watch = Watch(Calendar(schedule, "UTC"), begin)
    found = [watch.look(begin + each) for each in times]
    return [each - begin for each in found if each is not None]


def test_each_moment_is_delivered_once():
    assert delivered("0 * * * *", NOON, [n * 10.0 for n in range(1, 721)]) == [HOUR, 2 * HOUR]


def test_a_clock_that_jumps_from_1970_to_now_delivers_no_thousand_events():
    watch = Watch(Calendar("* * * * *", "UTC"), 100.0)
    assert [watch.look(each) for each in (160.0, 220.0, 280.0)] == [None] * 3
    assert watch.look(NOON + 30) in (None, NOON)
    assert [watch.look(NOON + 30 + each) for each in range(1, 30)] == [None] * 29
    assert watch.look(NOON + MINUTE) == NOON + MINUTE


def test_moments_missed_while_the_board_slept_are_not_made_up_for():
    assert delivered("0 * * * *", NOON, [10.0, 2.5 * HOUR, 2.6 * HOUR, 3 * HOUR + 1]) == [3 * HOUR]
    assert delivered("0 13 * * *", NOON, [10.0, 2 * DAY, 2 * DAY + HOUR]) == [2 * DAY + HOUR]


def test_a_moment_that_is_a_little_late_is_delivered():
    assert delivered("0 13 * * *", NOON, [10.0, HOUR + LATEST - 1]) == [HOUR]
    assert delivered("0 13 * * *", NOON, [10.0, HOUR + LATEST + 1]) == []


def test_a_clock_that_is_set_back_a_little_repeats_nothing():
    assert delivered("0 * * * *", NOON, [HOUR, HOUR - 300, HOUR - 10, HOUR + 10, 2 * HOUR]) == [HOUR, 2 * HOUR]


def test_a_clock_that_was_far_ahead_and_is_set_right_is_started_over_from():
    assert delivered("0 * * * *", NOON, [400 * DAY, 10.0, HOUR]) == [400 * DAY, HOUR]


def test_a_clock_that_is_not_set_delivers_nothing():
    assert delivered("* * * * *", 0.0, [MINUTE, 2 * MINUTE, HOUR]) == []


def test_the_thread_delivers_and_ends():
    came, events = threading.Event(), []

    def deliver(source, type, data, subject=""):
        events.append((source, type, data, subject))
        came.set()

    times = iter([NOON - 1.0, NOON - 0.01])
    cron = Cron(CronTrigger("0 12 * * *", "Europe/Berlin"), deliver, lambda: next(times, NOON - 2 * HOUR + 1))
    cron.close()
    times = iter([NOON - 1.0, NOON - 0.01])
    cron = Cron(CronTrigger("0 14 * * *", "Europe/Berlin"), deliver, lambda: next(times, NOON + 1))
    assert came.wait(30)
    cron.close()
    data = {"scheduled": "2026-06-01T14:00:00+02:00", "schedule": "0 14 * * *"}
    assert events == [("cron", "lamplight.cron.due", data, "0 14 * * *")]


def test_a_running_trigger_follows_the_boards_zone(monkeypatch):
    told, zones = threading.Event(), iter([False, True])

    class Following(Calendar):
        def follow(self):
            told.set()
            return next(zones, False)

    monkeypatch.setattr("device.triggers.cron.Calendar", Following)
    monkeypatch.setattr("device.triggers.cron.LOOK", 0.01)
    trigger = Cron(CronTrigger("0 7 * * *"), lambda *_: None)
    assert told.wait(30)
    trigger.close()
