"""The files of a device."""

import stat
import tomllib

from cloud_shim.cli.up.provision import DeviceFiles

GIVEN = {"password": "secret", "director_root": '{"d": 1}', "image_root": '{"i": 1}'}


def test_everything_is_written_for_its_owner_only(tmp_path):
    DeviceFiles("desk-pi", tmp_path / "desk-pi", tmp_path / "s.sock").write(GIVEN, 8421, 8088)
    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert modes == dict.fromkeys(
        [
            "desk-pi/agent.toml",
            "desk-pi/password",
            "desk-pi/roots/director-root.json",
            "desk-pi/roots/image-root.json",
        ],
        0o600,
    )


def test_a_folder_with_quotes_and_spaces_in_its_name_is_written_as_toml(tmp_path):
    folder = tmp_path / 'my "own" \\ pi'
    files = DeviceFiles("desk-pi", folder, folder / "s.sock")
    files.write(GIVEN, 8421, 8088)
    assert tomllib.loads(files.config.read_text())["state"] == str(folder / "state")


def test_writing_again_replaces(tmp_path):
    files = DeviceFiles("desk-pi", tmp_path, tmp_path / "s.sock")
    files.write(GIVEN, 8421, 8088)
    files.write({**GIVEN, "password": "newer"}, 8422, 8088)
    assert (tmp_path / "password").read_text() == "newer"
    assert tomllib.loads(files.config.read_text())["broker"]["port"] == 8422
