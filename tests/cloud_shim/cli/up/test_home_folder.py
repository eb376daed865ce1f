"""The state folder: one `up` at a time, and nothing of anybody else's is removed."""

import os
import stat
from pathlib import Path

import pytest

from cloud_shim.cli.up.home_folder import HomeFolder
from device.errors import LamplightError


def test_a_second_up_in_the_folder_is_refused_and_names_the_first(tmp_path):
    with HomeFolder(tmp_path).locked():
        with (
            pytest.raises(LamplightError, match=rf"process {os.getpid()}\) already runs"),
            HomeFolder(tmp_path).locked(),
        ):
            pass
        assert (tmp_path / "up.lock").read_text() == f"{os.getpid()}\n"


def test_the_folder_is_free_again_afterwards(tmp_path):
    for _ in range(2):
        with HomeFolder(tmp_path / "new" / "folder").locked():
            pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LamplightError, match="Cannot use"), HomeFolder(tmp_path / "file" / "state").locked():
        pass


def test_fresh_in_the_wrong_folder_removes_nothing_of_its_owner(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    (tmp_path / "cloud").mkdir()
    HomeFolder(tmp_path).clear()
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_short_path_holds_its_own_socket():
    assert (
        HomeFolder(Path("/tmp/x")).hardware_socket("desk-pi")
        == Path("/tmp/x").resolve() / "devices/desk-pi/hardware.sock"
    )


def test_a_deep_folder_gets_a_socket_with_a_path_that_is_short_private_and_the_same_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    deep = HomeFolder(tmp_path / ("deep" * 20))
    socket = deep.hardware_socket("desk-pi")
    assert socket == HomeFolder(deep.path).hardware_socket("desk-pi")
    assert socket != deep.hardware_socket("hall-pi")
    assert socket.parent.parent == tmp_path
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


def test_a_socket_folder_that_others_can_write_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    planted = tmp_path / f"lamplight-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    with pytest.raises(LamplightError, match="belongs to somebody else"):
        HomeFolder(tmp_path / ("deep" * 20)).hardware_socket("desk-pi")
