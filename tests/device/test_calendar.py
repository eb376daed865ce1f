"""Schedules, with the hours that a change of the clocks skips and repeats."""

from datetime import datetime
from pathlib import Path
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


def written_by_the_board(moment=1780000000):
    calendar = Calendar("30 7 * * *")
    return calendar.written(calendar.after(moment))


@pytest.mark.parametrize(
    ("tz", "written"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-05-29T07:30:00+02:00"),
        ("JST-9", "2026-05-29T07:30:00+09:00"),
        ("<+0545>-5:45", "2026-05-29T07:30:00+05:45"),
        (":Asia/Tokyo", "2026-05-29T07:30:00+09:00"),
        ("UTC", "2026-05-29T07:30:00+00:00"),
    ],
)
def test_the_environment_may_name_a_zone_or_give_its_rule(monkeypatch, tz, written):
    monkeypatch.setenv("TZ", tz)
    assert written_by_the_board() == written


def test_a_rule_changes_the_clocks(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert written_by_the_board(1793000000) == "2026-10-27T07:30:00+01:00"


@pytest.mark.parametrize("tz", ["CET-1CEST", "Mars/Olympus", "é", "x" * 5000, "/nowhere", "/etc/passwd", "../Tokyo"])
def test_a_zone_that_cannot_be_read_is_told_and_the_systems_is_used(monkeypatch, tmp_path, caplog, tz):
    monkeypatch.setattr("device.calendar._LOCAL", set_zone(tmp_path, "Asia/Tokyo"))
    monkeypatch.setenv("TZ", tz)
    assert written_by_the_board().endswith("+09:00")
    assert "is no time zone" in caplog.text


def set_zone(folder, zone):
    """As `timedatectl set-timezone` does: another link in the place of the one there was."""
    import tzdata

    new = folder / "new"
    new.symlink_to(Path(tzdata.__file__).parent / "zoneinfo" / zone)
    return new.replace(folder / "localtime")


def test_a_schedule_follows_the_zone_that_is_set_for_the_board_and_one_of_its_own_stays(monkeypatch, tmp_path):
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr("device.calendar._LOCAL", set_zone(tmp_path, "Etc/UTC"))
    follows, stays = Calendar("30 7 * * *"), Calendar("30 7 * * *", "Europe/Berlin")
    set_zone(tmp_path, "Asia/Tokyo")
    assert follows.follow()
    assert not follows.follow()
    assert not stays.follow()
    assert [each.written(each.after(1780000000))[-6:] for each in (follows, stays)] == ["+09:00", "+02:00"]


def test_a_board_whose_zone_file_goes_away_is_in_utc(monkeypatch, tmp_path):
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr("device.calendar._LOCAL", set_zone(tmp_path, "Asia/Tokyo"))
    calendar = Calendar("30 7 * * *")
    (tmp_path / "localtime").unlink()
    assert calendar.follow()
    assert calendar.written(0.0) == "1970-01-01T00:00:00+00:00"
