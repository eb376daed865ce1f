"""The token that a command sends, and to whom."""

import subprocess
import sys

import pytest

from cloud_shim.cli import credentials
from cloud_shim.people import token_files
from device import port_holder
from device.errors import RejectedError

URL = "http://127.0.0.1:8420"


@pytest.fixture(autouse=True)
def shim(tmp_path, monkeypatch):
    """A shim of this user's at URL, as far as files go; gives its token."""
    monkeypatch.delenv("LAMPLIGHT_TOKEN", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    token = token_files.owner(tmp_path)
    with token_files.announced(8420, tmp_path):
        yield token


def listening(monkeypatch, *users):
    monkeypatch.setattr(port_holder, "users", lambda port: set(users))


@pytest.mark.parametrize("user", [credentials.os.getuid(), 0])
def test_the_users_own_shim_and_roots_are_given_the_token(shim, monkeypatch, user):
    listening(monkeypatch, user)
    assert credentials.headers(URL) == {"Authorization": f"Bearer {shim}"}


def test_another_users_program_on_the_port_is_not_given_the_token(monkeypatch):
    listening(monkeypatch, credentials.os.getuid(), 54321)
    with pytest.raises(RejectedError, match="user id 54321"):
        credentials.headers(URL)


def test_a_chosen_token_goes_before_the_one_that_is_found(monkeypatch):
    listening(monkeypatch, 54321)
    monkeypatch.setenv("LAMPLIGHT_TOKEN", " chosen\n")
    assert credentials.headers("http://lamp.example") == {"Authorization": "Bearer chosen"}


@pytest.mark.parametrize("token", ["a\r\nX: y", "tökén", "a\x00b"[:1] + "\x7f"])
def test_a_token_that_is_none_is_said_to_be_none(monkeypatch, token):
    monkeypatch.setenv("LAMPLIGHT_TOKEN", token)
    with pytest.raises(RejectedError, match="no token"):
        credentials.headers(URL)


def test_a_strange_address_gets_nothing(monkeypatch):
    listening(monkeypatch)
    for url in ("http://127.0.0.1:8421", "http://lamp.example:8420", "http://127.0.0.1:x", "http://[", ""):
        assert credentials.headers(url) == {}


def test_looking_for_a_token_loads_no_database():
    code = "import sys, cloud_shim.cli.client; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code]).returncode == 0
