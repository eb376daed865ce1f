"""The file trigger on real folders."""

import os
from pathlib import Path

import pytest

from device.protocol.triggers import FileTrigger as Declared
from device.triggers.file.readable import hindrance
from device.triggers.file.trigger import FileTrigger


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def watch(folder, delivered):
    started = []

    def watch(**declared):
        started.append(FileTrigger(Declared("inbox", **declared), folder, delivered, user=None))

    yield watch
    for each in started:
        each.close()


def told(events):
    return [(type.removeprefix("lamplight.file."), subject) for _, type, _, subject in events]


def test_a_file_is_put_and_removed(folder, watch, delivered):
    watch()
    (folder / "a.txt").write_text("hello")
    source, type, data, subject = delivered.wait(1)[0]
    assert (source, type, subject) == ("file/inbox", "lamplight.file.put", "a.txt")
    assert data == {"folder": "inbox", "name": "a.txt", "path": str(folder / "a.txt"), "size": 5}
    (folder / "a.txt").unlink()
    assert delivered.wait(2)[1][1:] == ("lamplight.file.removed", {"folder": "inbox", "name": "a.txt"}, "a.txt")


def test_a_half_written_file_is_no_event_and_a_temporary_one_that_is_renamed_is_one(folder, watch, delivered):
    watch()
    with (folder / "half").open("w") as half:
        half.write("not yet")
        half.flush()
        (folder / "whole.tmp").write_text("done")
        (folder / "whole.tmp").rename(folder / "whole")
        assert told(delivered.wait(1)) == [("put", "whole")]
    assert told(delivered.wait(2)) == [("put", "whole"), ("put", "half")]


def test_files_that_are_there_at_the_start_are_known_unless_asked_for(folder, watch, delivered):
    (folder / "old").write_text("")
    watch()
    (folder / "new").write_text("")
    assert told(delivered.wait(1)) == [("put", "new")]


def test_files_that_are_there_at_the_start_are_put_when_asked_for(folder, watch, delivered):
    (folder / "old").write_text("")
    watch(initial=True)
    assert told(delivered.wait(1)) == [("put", "old")]


def test_only_what_matches_is_told(folder, watch, delivered):
    watch(match="*.jpg")
    (folder / "notes.txt").write_text("")
    (folder / "a.jpg").write_text("")
    (folder / "a.jpg").rename(folder / "a.bak")
    (folder / "b.jpg").write_text("")
    assert ("put", "b.jpg") in told(delivered.wait(1))
    assert all(name.endswith(".jpg") for _, name in told(delivered.events))


def test_a_link_to_a_secret_is_not_followed(folder, watch, delivered, tmp_path):
    (tmp_path / "secret").write_text("key")
    watch()
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "link").rename(folder / "link")
    (folder / "plain").write_text("")
    assert told(delivered.wait(1)) == [("put", "plain")]


def test_a_folder_that_goes_and_comes_back_is_watched_again(folder, watch, delivered):
    watch()
    (folder / "a").write_text("")
    delivered.wait(1)
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    (folder / "b").write_text("")
    assert set(told(delivered.wait(3))) == {("put", "a"), ("removed", "a"), ("put", "b")}


def test_names_that_are_no_unicode_do_not_end_the_watch(folder, watch, delivered):
    watch()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe")).touch()
    (folder / "plain").write_text("")
    assert told(delivered.wait(1)) == [("put", "plain")]


def test_a_flood_of_files_is_told_in_full(folder, watch, delivered):
    watch()
    for n in range(500):
        (folder / f"{n:03}").write_text("")
    assert sorted(name for _, name in told(delivered.wait(500))) == [f"{n:03}" for n in range(500)]


def test_a_file_that_the_function_cannot_read_is_told_with_whose_it_is(folder, watch, delivered, caplog):
    watch()
    before = os.umask(0o077)
    try:
        (folder / "mine.jpg").write_text("x")
        (folder / "open.jpg").touch(0o644)
        (folder / "open.jpg").chmod(0o644)
    finally:
        os.umask(before)
    found = {data["name"]: data.get("unreadable", "") for _, _, data, _ in delivered.wait(2)}
    assert ", and its mode 600" in found["mine.jpg"]
    assert "Functions cannot read mine.jpg" in caplog.text and "chmod o+r" in caplog.text
    assert found["open.jpg"] == "" and "open.jpg" not in caplog.text


def status(mode, user):
    return os.stat_result((mode, 0, 0, 1, user, user, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("file", "folder", "shared", "told"),
    [
        ((0o100644, 5), (0o40755, 5), None, ""),
        ((0o100600, 5), (0o40755, 5), None, "mode 600"),
        ((0o100640, 0), (0o40755, 5), None, "belongs to root"),
        ((0o100644, 5), (0o40750, 4_000_000), None, "its folder belongs to user 4000000, and the mode 750"),
        ((0o100600, 5), (0o40700, 5), 5, ""),
        ((0o100044, 5), (0o40700, 5), 5, "mode 44"),
        ((0o100600, 6), (0o40755, 5), 5, "mode 600"),
    ],
)
def test_the_mode_decides_for_a_user_of_its_own_and_for_the_agent_s(file, folder, shared, told):
    said = hindrance(status(*file), status(*folder), shared)
    assert (told in said) if told else said == ""
