"""The owner's token on disk, and the way from a shim's address to it."""

import os
import stat

import pytest

from cloud_shim.people import token_files


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def state(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


def test_a_token_is_made_once(state):
    assert token_files.owner(state) == token_files.owner(state)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602])
def test_a_token_that_others_could_read_or_write_is_replaced(state, mode):
    before = token_files.owner(state)
    (state / token_files.FILE).chmod(mode)
    assert token_files.owner(state) != before
    assert stat.S_IMODE((state / token_files.FILE).stat().st_mode) == 0o600


def test_an_empty_file_gives_no_empty_token(state):
    token_files.write(state, "")
    assert len(token_files.owner(state)) > 40


def test_it_is_found_by_the_address_while_the_shim_runs(state):
    token = token_files.owner(state)
    with token_files.announced(8420, state):
        for url in ("http://127.0.0.1:8420", "http://localhost:8420", "http://[::1]:8420"):
            assert token_files.find(url) == token
        for url in ("http://127.0.0.1:8421", "http://127.0.0.1", "http://lamp.example:8420", "http://[", "nonsense"):
            assert token_files.find(url) == ""
    assert token_files.find("http://127.0.0.1:8420") == ""


def test_the_note_of_the_shim_that_came_later_stays(state, tmp_path):
    (tmp_path / "other").mkdir()
    other = token_files.owner(tmp_path / "other")
    with token_files.announced(8420, state):
        with_other = token_files.announced(8420, tmp_path / "other")
        with_other.__enter__()
    assert token_files.find("http://127.0.0.1:8420") == other


def test_a_user_without_a_home_or_with_one_that_cannot_be_written_still_gets_a_shim(state, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with token_files.announced(8420, state):
        assert token_files.find("http://127.0.0.1:8420") == ""
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)  # as in a container: no entry for it
    with token_files.announced(8420, state):
        assert token_files.find("http://127.0.0.1:8420") == ""
