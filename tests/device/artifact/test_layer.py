"""A layer is for one platform, and a board refuses another's."""

import platform

import pytest

from device.artifact import layer
from device.errors import BadArtifactError, RejectedError
from device.protocol import layer as declared
from device.protocol.reported import Platform

HERE = layer.this_machine()
PACKAGE = {"name": "leaf", "version": "1.0", "sha256": "ab" * 32}


PLATFORM = {"machine": HERE.machine, "python": HERE.python, "glibc": HERE.glibc}


def manifest(**platform):
    return declared.layer({"platform": {**PLATFORM, **platform}, "packages": [PACKAGE]})


@pytest.mark.parametrize(
    ("machine", "largest", "wheels"),
    [
        ("aarch64", 2**63 - 1, "aarch64"),
        ("aarch64", 2**31 - 1, "armv7l"),
        ("armv8l", 2**31 - 1, "armv7l"),
        ("armv6l", 2**31 - 1, "armv6l"),
        ("x86_64", 2**31 - 1, "i686"),
    ],
)
def test_a_python_of_32_bits_takes_wheels_for_32_also_on_a_kernel_of_64(machine, largest, wheels):
    assert layer.processor(machine, largest) == wheels


def test_the_board_says_the_whole_version_of_its_python():
    assert HERE.full == platform.python_version()


def test_a_layer_under_the_kernels_name_is_still_taken(monkeypatch):
    monkeypatch.setattr(layer, "this_machine", lambda: Platform("armv7l", HERE.python, HERE.glibc))
    layer.check(manifest(machine=platform.machine()))


def test_one_for_this_machine_or_an_older_glibc_is_taken():
    layer.check(manifest())
    layer.check(manifest(glibc=2))


@pytest.mark.parametrize("other", [{"machine": "mips"}, {"python": "3.9"}, {"glibc": 500}])
def test_one_for_another_machine_python_or_newer_glibc_is_refused(other):
    with pytest.raises(RejectedError, match="this board is"):
        layer.check(manifest(**other))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "platform"),
        ("packages = []\n[platform]\nmachine = 1", "expected a list|at least one|expected a string"),
        (
            '[platform]\nmachine="../x"\npython="3.11"\nglibc=36\n[[packages]]\nname="a"\nversion="1"\nsha256="x"',
            "sha256",
        ),
        ("not toml [", "cannot be read"),
    ],
)
def test_a_hostile_layer_file_is_refused(tmp_path, text, says):
    (tmp_path / "site").mkdir()
    (tmp_path / "layer.toml").write_text(text)
    with pytest.raises(BadArtifactError, match=says):
        layer.read(tmp_path)


def test_one_without_packages_or_without_its_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        declared.layer({"platform": PLATFORM, "packages": []})
    with pytest.raises(BadArtifactError, match="no folder site"):
        layer.read(tmp_path)
