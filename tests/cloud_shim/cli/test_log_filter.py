"""Which lines are wanted: by level, time and text."""

from datetime import datetime

import pytest

from cloud_shim.cli import log_filter
from device.errors import UsageError

NOW = datetime(2026, 6, 1, 12, 0).timestamp()


def record(kind="log", **fields):
    return {"kind": kind, "time": NOW, "function": "f", "version": 1, **fields}


def line(level="info", text="lux 12", **fields):
    return record(level=level, text=text, **fields)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("11:30", 1800), ("9:00", 10800), ("11:59:30", 30)],
)
def test_a_moment_is_so_long_ago_or_a_time_of_today(said, seconds):
    assert log_filter.moment(said, NOW) == NOW - seconds


@pytest.mark.parametrize(("said", "moment"), [("2026-05-31", "2026-05-31T00:00"), ("2026-06-01T07:30Z", "")])
def test_a_date_is_a_moment(said, moment):
    assert log_filter.moment(said, NOW) == datetime.fromisoformat(moment or said).timestamp()


@pytest.mark.parametrize("said", ["yesterday", "10", "25:00", "-5m", "2026-13-01", "1e3s", "9" * 12 + "d", "\x00"])
def test_what_is_no_moment_is_a_usage_error(said):
    with pytest.raises(UsageError, match="10m, 2h"):
        log_filter.moment(said, NOW)


def test_a_broken_expression_is_a_usage_error():
    with pytest.raises(UsageError, match="no regular expression"):
        log_filter.asked("", "", "lux (", NOW)


def takes(record, level="", since="", grep=""):
    return log_filter.asked(level, since, grep, NOW).takes(record)


def test_each_option_leaves_out_what_it_says():
    assert log_filter.asked("", "", "", NOW).takes_all
    assert [takes(line(each), "warning") for each in log_filter.LEVELS] == [False, False, True, True]
    assert takes(line(), since="1m") and not takes(line(time=NOW - 61), since="1m")
    assert takes(line(), grep="lux 1[0-9]") and not takes(line(), grep="lux 2")
    assert takes(line(event="f-3"), grep="f-3") and not takes(line(), grep="12:00:00")


@pytest.mark.parametrize(
    ("of", "level"),
    [
        (line("odd"), "info"),
        (record("worker", what="started", detail=""), "info"),
        (record("worker", what="crashed", detail=""), "error"),
        (record("sensor", sensor="light", ok=False, error="x"), "error"),
        (record("sensor", sensor="light", ok=True, error=""), "info"),
        (record("update", state="REVERTED", reason="", generation=1), "error"),
        (record("update", state="COMMITTED", reason="", generation=1), "info"),
        (record("dropped", stream="logs", count=1), "warning"),
        (record("of a later agent"), "info"),
    ],
)
def test_an_event_around_the_log_has_a_level_too(of, level):
    assert log_filter.level(of) == level
