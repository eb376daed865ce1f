"""Where packages come from beyond pip's configuration: lamplight.toml beside the function, then the person's own."""

import pytest

from cloud_shim.cli.release import layers, packing, places
from cloud_shim.cli.release.layers import Board
from cloud_shim.cli.release.places import Places
from cloud_shim.cli.release.target import Platform
from device.artifact import archive
from device.errors import UsageError
from tests.wheels import wheel

PI = Platform("aarch64", (3, 11), 36)


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """The person's own folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "lamplight"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def function(tmp_path):
    folder = tmp_path / "function"
    (folder / "wheels of mine").mkdir(parents=True)
    (folder / "requirements.txt").write_text("mylib-acme==1.0\n")
    return folder


def test_a_wheel_in_a_folder_beside_the_function_is_taken_and_locked(function, index, monkeypatch, tmp_path):
    wheel(function / "wheels of mine", "mylib_acme", "X = 42\n")
    (function / "lamplight.toml").write_text('[packages]\nwheels = ["wheels of mine"]\n')
    monkeypatch.chdir(tmp_path)
    packed = layers.layer(function, Board(PI))
    assert packed and layers.layer(function, Board(PI)) == packed
    assert archive.unpack(packed, tmp_path / "out") and (tmp_path / "out/site/mylib_acme.py").read_text() == "X = 42\n"


def test_the_functions_file_goes_before_the_persons_setting_by_setting(function, own):
    (own / "lamplight.toml").write_text('[packages]\nindex = "https://far.example/simple"\nextra-indexes = []\n')
    assert places.read(function) == Places("https://far.example/simple", (), None)
    (function / "lamplight.toml").write_text('[packages]\nindex = "https://near.example/simple"\n')
    assert places.read(function) == Places("https://near.example/simple", (), None)


def test_an_index_goes_before_pips_and_wheels_add_to_pips(tmp_path):
    pips = {"index-url": "https://pip.example", "no-index": "1", "find-links": "/opt/a", "proxy": "p"}
    found = Places("https://ours.example/simple", None, (tmp_path,)).over(pips)
    assert found == {
        "index-url": "https://ours.example/simple",
        "find-links": f"{tmp_path.as_uri()} /opt/a",
        "proxy": "p",
    }
    assert Places().over(pips) == pips


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[packages", "is not understood"),
        ('[package]\nindex = "https://x"\n', "'package' is no setting"),
        ("packages = 3\n", "is no setting"),
        ('[packages]\nurl = "https://x"\n', "'url' is no setting"),
        ("[packages]\nindex = 3\n", "3 is no address"),
        ('[packages]\nindex = "https://x --trusted-host y"\n', "no address"),
        ('[packages]\nindex = "ssh://x"\n', "no address"),
        ('[packages]\nextra-indexes = "https://x"\n', "extra-indexes is a list"),
        ('[packages]\nwheels = ["nowhere"]\n', "there is no folder"),
        ("[packages]\nwheels = [3]\n", "is no folder"),
        ("x = " + "[" * 5000, "is not understood"),
        ("#" * 70_000, "too long"),
    ],
)
def test_a_file_that_is_not_understood_says_why(function, text, says):
    (function / "lamplight.toml").write_text(text)
    with pytest.raises(UsageError, match=says):
        places.read(function)


def test_no_board_gets_the_settings_with_their_passwords(function, tmp_path):
    (function / "lamplight.toml").write_text('[packages]\nindex = "https://me:secret@x.example/simple"\n')
    (function / "uv.lock").write_text("version = 1\n")
    (function / "function.toml").write_text('name = "lamp"\nhandler = "main:handler"\n')
    (function / "main.py").write_text("def handler(event, context): ...\n")
    assert b"secret" not in packing.pack(function) and b"uv.lock" not in packing.pack(function)
