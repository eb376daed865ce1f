"""The files of a state are made once, by the agent, and nothing that a function laid there leads it astray."""

import os
import stat

import pytest

from device.runtime import state_files
from device.runtime.state_files import DATABASE, FILES, LOCK, UNFINISHED

USER = 1_900_000_777


@pytest.fixture
def states(tmp_path):
    folder = tmp_path / "states"
    folder.mkdir()
    state_files.make(folder, 1)
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_first_schema_is_empty_and_finished(states):
    assert names(states) == sorted([LOCK, "1"])
    assert names(states / "1") == sorted(FILES)
    assert state_files.used(states) == [] and not state_files.is_unfinished(states / "1")


def test_a_new_schema_is_unfinished_only_where_there_is_something_to_make_it_from(states):
    state_files.make(states, 2)
    assert not state_files.is_unfinished(states / "2")
    (states / "2" / DATABASE).write_text("kept")
    state_files.make(states, 3)
    assert state_files.is_unfinished(states / "3")
    assert state_files.used(states) == [2]


def test_making_it_again_changes_nothing(states):
    (states / "1" / DATABASE).write_text("kept")
    (states / "1" / UNFINISHED).write_text("1")
    state_files.make(states, 1)
    assert (states / "1" / DATABASE).read_text() == "kept"
    assert state_files.is_unfinished(states / "1")


def test_a_state_of_an_older_agent_gets_what_it_lacks_and_counts_as_whole(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / DATABASE).write_text("kept")
    state_files.make(tmp_path, 2)
    assert names(tmp_path / "1") == sorted(FILES)
    assert state_files.used(tmp_path) == [1]
    assert state_files.is_unfinished(tmp_path / "2")


def test_a_power_cut_while_a_schema_is_made_leaves_nothing_that_counts(states):
    (states / ".new").mkdir()
    (states / ".new" / "half").write_text("")
    state_files.make(states, 2)
    assert names(states) == sorted([LOCK, "1", "2"])


def mode(path):
    status = path.lstat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


def test_the_function_has_the_files_and_the_agent_the_folders_whatever_they_had_before(states):
    if os.getuid() == 0:
        os.chown(states / "1", USER, USER)
        (states / "1").chmod(0o777)
        (states / "1" / DATABASE).chmod(0o666)
        state_files.give(states, USER)
        assert mode(states) == mode(states / "1") == (0, USER, 0o750)
        assert mode(states / "1" / DATABASE) == mode(states / LOCK) == (USER, 0, 0o660)


@pytest.mark.parametrize("lay", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_a_link_in_place_of_a_file_gives_nobody_what_it_leads_to(states, tmp_path, lay):
    theirs = tmp_path / "key"
    theirs.write_text("secret")
    theirs.chmod(0o600)
    (states / "1" / DATABASE).unlink()
    lay(theirs, states / "1" / DATABASE)
    before = mode(theirs)
    try:
        state_files.give(states, USER if os.getuid() == 0 else os.getuid())
    except OSError:
        # Refused is as good.
        pass
    assert mode(theirs) == before


def test_a_link_in_place_of_a_schema_is_not_entered(states, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (states / "2").symlink_to(elsewhere)
    state_files.make(states, 2)
    assert names(elsewhere) == []
