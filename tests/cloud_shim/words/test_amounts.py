"""Times and sizes in words."""

import pytest

from cloud_shim.words import amounts


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (4.9, "just now"),
        (5, "5 seconds ago"),
        (59.9, "59 seconds ago"),
        (60, "1 minute ago"),
        (119, "1 minute ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (86400 * 3 + 5, "3 days ago"),
    ],
)
def test_ago_uses_the_largest_whole_unit(seconds, said):
    assert amounts.ago(1e9, 1e9 + seconds) == said


def test_ago_of_what_never_was_and_of_what_is_to_come():
    assert amounts.ago(None, 100.0) == "never"
    assert amounts.ago(500.0, 100.0) == "just now"


def test_last_seen_of_a_device_never_heard_of():
    assert amounts.presence(False, False, None, 100.0) == "never seen"


def test_last_seen_in_the_future_by_a_clock_that_was_set_back_is_just_now():
    assert amounts.presence(False, False, 500.0, 100.0) == "offline, last seen just now"


def test_sizes():
    assert [amounts.size(n) for n in (0, 999, 1000, 131072, 2_400_000, 81_300_000_000)] == [
        "0 B",
        "999 B",
        "1 kB",
        "131 kB",
        "2.4 MB",
        "81.3 GB",
    ]


def test_a_silent_device_is_told_from_one_that_said_goodbye():
    assert amounts.presence(False, True, 100.0, 400.0) == "silent, last seen 5 minutes ago"


def test_deaths_are_told_by_kind_the_most_frequent_first():
    assert amounts.deaths({"memory": 1, "SIGSEGV": 4, "exit 7": 0}) == "died 4 × SIGSEGV, 1 × memory"
    assert amounts.deaths({}) == ""
