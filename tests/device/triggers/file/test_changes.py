"""What the kernel's notices mean for files."""

from device.triggers.file.changes import PUT, REMOVED, SETTLE, Changes
from device.triggers.file.inotify import CLOSE_WRITE, DELETE, IS_FOLDER, MOVED_FROM, MOVED_TO, Notice


def told(known, *notices):
    changes = Changes(set(known))
    for mask, name in notices:
        changes.notice(Notice(mask, 0, name), 0.0)
    assert changes.due(SETTLE / 2) == []
    return changes.due(SETTLE)


def test_a_temporary_file_that_is_renamed_is_put_once_under_its_last_name():
    assert told([], (CLOSE_WRITE, "a.tmp"), (MOVED_FROM, "a.tmp"), (MOVED_TO, "a")) == [(PUT, "a")]


def test_a_known_file_that_is_renamed_is_removed_and_put():
    assert told(["a"], (MOVED_FROM, "a"), (MOVED_TO, "b")) == [(REMOVED, "a"), (PUT, "b")]


def test_a_known_file_that_is_replaced_by_renaming_is_put():
    assert told(["a"], (CLOSE_WRITE, "t"), (MOVED_FROM, "t"), (MOVED_TO, "a")) == [(PUT, "a")]


def test_a_file_that_is_written_in_several_goes_is_put_once():
    assert told([], (CLOSE_WRITE, "a"), (CLOSE_WRITE, "a")) == [(PUT, "a")]


def test_a_file_that_is_gone_before_it_was_told_of_is_not_told_of():
    assert told([], (CLOSE_WRITE, "a"), (DELETE, "a")) == []


def test_folders_are_no_files():
    assert told([], (MOVED_TO | IS_FOLDER, "d"), (DELETE | IS_FOLDER, "d")) == []


def test_what_was_lost_when_the_kernels_queue_ran_over_is_found_by_looking():
    changes = Changes({"stays", "went"})
    changes.found(["stays", "came"], 0.0)
    assert sorted(changes.due(SETTLE)) == [(PUT, "came"), (REMOVED, "went")]
    assert changes.known == {"stays", "came"}


def test_nothing_waits_for_ever():
    changes = Changes()
    assert changes.patience(0.0) is None
    changes.notice(Notice(CLOSE_WRITE, 0, "a"), 0.0)
    assert changes.patience(0.0) == SETTLE
