"""The lock: PEP 751, one for each kind of board, used only while it answers the same question."""

import tomllib
from dataclasses import replace

import pytest
from packaging.pylock import Pylock, is_valid_pylock_path

from cloud_shim.cli.release import lock
from cloud_shim.cli.release.lock import Lock
from cloud_shim.cli.release.wheels import Wheel
from device.errors import UsageError

LEAF = Wheel("leaf", "1.0", "a" * 64, "leaf-1.0-py3-none-any.whl", "https://files.example/leaf-1.0-py3-none-any.whl")
LOCAL = Wheel("local", "2.0", "b" * 64, "local-2.0-py3-none-any.whl")
LOCK = Lock((LEAF, LOCAL), ("leaf", 'local ; python_version >= "3"'), ("tuf==6.0",), "aarch64", "3.11", 36)


def test_what_is_written_is_a_lock_by_the_standard_and_is_read_back(tmp_path):
    file = tmp_path / lock.name("aarch64-py311")
    assert is_valid_pylock_path(file) and lock.is_lock(file.name)
    file.write_text(lock.text(LOCK))
    assert lock.read(file) == LOCK
    Pylock.from_dict(tomllib.loads(lock.text(replace(LOCK, wheels=())))).validate()


def test_the_layers_lock_is_the_same_for_the_same_wheels():
    found = Pylock.from_dict(tomllib.loads(lock.origins(LOCK.wheels)))
    assert [each.wheels[0].hashes["sha256"] for each in found.packages] == [LEAF.sha256, LOCAL.sha256]
    assert found.packages[0].wheels[0].url == LEAF.url and found.packages[1].wheels[0].url is None


def test_no_lock_is_none_and_other_names_are_none(tmp_path):
    assert lock.read(tmp_path / "pylock.x.toml") is None
    assert not any(lock.is_lock(each) for each in ("pylock.toml", "sub/pylock.x.toml", "main.py"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "<<<<<<< HEAD\n" + text,
        lambda text: "",
        lambda text: text.replace("[tool.lamplight]", "[tool.other]"),
        lambda text: text.replace("a" * 64, "A" * 64),
        lambda text: text.replace("a" * 64, "a\\n--index-url=x"),
        lambda text: text.replace('name = "leaf"', 'name = "../leaf"'),
        lambda text: text.replace('lock-version = "1.0"', 'lock-version = "9"'),
        lambda text: text.replace("glibc = 36", 'glibc = "many"'),
        lambda text: "x = " + "[" * 5000,
    ],
)
def test_a_file_that_is_no_lock_of_ours_is_an_error_and_not_lost(tmp_path, damage):
    file = tmp_path / "pylock.x.toml"
    file.write_text(damage(lock.text(LOCK)))
    kept = file.read_bytes()
    with pytest.raises(UsageError, match=r"no lock of Lamplight's.*Delete the file"):
        lock.read(file)
    assert file.read_bytes() == kept


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, True),
        ({"glibc": 41}, True),
        ({"glibc": 31}, False),
        ({"requirements": ("leaf",)}, False),
        ({"python": "3.13"}, False),
        ({"machine": "armv7l"}, False),
        ({"provided": ("other==1", "tuf==6.0")}, True),
        ({"provided": ("tuf==7.0",)}, False),
        ({"provided": ("leaf==1.0", "tuf==6.0")}, False),
    ],
)
def test_a_lock_fits_the_same_lines_board_and_libraries(asked, fits):
    assert LOCK.fits(replace(LOCK, wheels=(), **asked)) is fits


def test_each_package_that_changed_has_a_line():
    now = (replace(LEAF, version="2.0"), Wheel("new", "1", "c" * 64), replace(LOCAL, sha256="d" * 64))
    assert lock.changes((LEAF, LOCAL, Wheel("old", "3", "e" * 64)), now) == [
        "~ leaf 1.0 -> 2.0",
        "! local 2.0 is another file: sha256 bbbbbbbbbbbb -> dddddddddddd",
        "+ new 1",
        "- old 3",
    ]
    assert lock.changes(now, now) == []
