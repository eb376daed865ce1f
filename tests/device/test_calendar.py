"""Schedules, with the hours that a change of the clocks skips and repeats."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from device.calendar import Calendar
from device.errors import BadArtifactError

BERLIN = ZoneInfo("Europe/Berlin")
# In 2026 Berlin's clocks go from 02:00 to 03:00 on 29 March, and from 03:00 back to 02:00 on 25 October.


def due(schedule, begin, count, zone="Europe/Berlin"):
    """The next `count` moments after `begin`, local time, as written."""
    calendar = Calendar(schedule, zone)
    moment, found = datetime.fromisoformat(begin).replace(tzinfo=BERLIN).timestamp(), []
    for _ in range(count):
        moment = calendar.after(moment)
        found.append(calendar.written(moment))
    return found


def test_half_past_seven_on_workdays():
    assert due("30 7 * * MON-FRI", "2026-01-02T08:00", 2) == ["2026-01-05T07:30:00+01:00", "2026-01-06T07:30:00+01:00"]


def test_a_time_that_is_skipped_is_due_when_the_skipped_hour_is_over_and_only_once():
    assert due("30 2 * * *", "2026-03-28T12:00", 2) == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]


def test_a_time_that_is_repeated_is_due_the_first_time_only():
    assert due("30 2 * * *", "2026-10-24T12:00", 2) == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]


def test_a_function_that_starts_in_the_second_pass_of_a_repeated_hour_waits_for_the_next_day():
    calendar = Calendar("30 2 * * *", "Europe/Berlin")
    second = datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1).timestamp()
    assert calendar.written(calendar.after(second)) == "2026-10-26T02:30:00+01:00"


def test_intervals_go_on_through_a_skipped_hour():
    assert due("*/30 * * * *", "2026-03-29T01:15", 3) == [
        "2026-03-29T01:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-29T03:30:00+02:00",
    ]


def test_intervals_count_a_repeated_hour_twice():
    assert due("0 * * * *", "2026-10-25T01:30", 3) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_the_zone_of_the_board_is_used_when_none_is_given(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    calendar = Calendar("0 7 * * *")
    assert calendar.written(calendar.after(0.0)) == "1970-01-01T07:00:00+05:30"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Europe"])
def test_a_zone_that_does_not_exist_or_would_read_another_file_is_refused(zone):
    with pytest.raises(BadArtifactError, match="no time zone"):
        Calendar("0 7 * * *", zone)


@pytest.mark.parametrize(
    "schedule", ["61 7 * * *", "0 7 31 2 *", "0 7 * * FUN", "* * * *", "0 7 * * * * *", "", "0 7 */0 * *"]
)
def test_a_schedule_that_never_comes_or_cannot_be_read_is_refused(schedule):
    with pytest.raises(BadArtifactError, match="cannot be used"):
        Calendar(schedule, "UTC")
