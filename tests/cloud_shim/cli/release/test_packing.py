"""What is checked before anything is sent; the single mistakes are the tests of bundle, archive and acceptance."""

import shutil

import pytest

from cloud_shim.cli import starters
from cloud_shim.cli.release.packing import pack
from device.artifact import archive
from device.errors import NotFoundError, RejectedError, UsageError


@pytest.mark.parametrize("name", starters.names())
def test_a_starter_packs_into_what_it_is(name, tmp_path):
    archive.unpack(pack(starters.path(name)), tmp_path / "out")
    unpacked = {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()}
    assert unpacked == {each.name: each.read_bytes() for each in starters.path(name).iterdir() if each.is_file()}


def test_a_setting_that_the_function_does_not_have_is_refused():
    with pytest.raises(RejectedError, match="treshold"):
        pack(starters.path("night-light"), {"treshold": 5})


def test_a_model_has_no_settings(tmp_path):
    (tmp_path / "model.toml").write_text('name = "m"\n[inputs]\nx = [1]\n')
    with pytest.raises(UsageError):
        pack(tmp_path, {"threshold": 5})


def test_the_locks_stay_behind(tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(starters.path("hello"), folder)
    before = pack(folder)
    (folder / "pylock.aarch64-py311.toml").write_text("")
    assert pack(folder) == before


def test_an_empty_folder_is_neither(tmp_path):
    with pytest.raises(NotFoundError):
        pack(tmp_path)
