"""layer.toml: the packages of a layer, its platform, and the name that follows from it."""

import pytest

from device.protocol.errors import ProtocolError
from device.protocol.layer import layer

PACKAGE = {"name": "numpy", "version": "2.1.0", "sha256": "a" * 64}
PLATFORM = {"machine": "x86_64", "python": "3.11", "glibc": 36}


def manifest(package=(), platform=(), **changes):
    return {"platform": {**PLATFORM, **dict(platform)}, "packages": [{**PACKAGE, **dict(package)}], **changes}


def test_a_manifest_is_read():
    made = layer(manifest(packages=[PACKAGE, {**PACKAGE, "name": "onnx", "version": "1.17"}]))
    assert (made.machine, made.python, made.glibc) == ("x86_64", "3.11", 36)
    assert made.packages == {"numpy": "2.1.0", "onnx": "1.17"}


def test_a_layer_is_named_after_its_platform_as_a_topic_and_a_file_may_be():
    assert layer(manifest()).name == "x86-64-py311"


@pytest.mark.parametrize("glibc", [0, 999])
def test_the_least_and_the_highest_glibc_pass(glibc):
    assert layer(manifest(platform={"glibc": glibc})).glibc == glibc


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, r"^layer\.toml: expected a table"),
        (manifest(more=1), r"^layer\.toml: unknown key 'more'"),
        (manifest(platform={"libc": "musl"}), r"^layer\.toml\.platform: unknown key 'libc'"),
        ({**manifest(), "platform": "x86_64"}, r"^layer\.toml\.platform: expected a table"),
        (manifest(platform={"machine": 64}), r"^layer\.toml\.platform\.machine"),
        (manifest(platform={"machine": "../x"}), r"^layer\.toml\.platform: .* is not a name"),
        (manifest(platform={"python": 3.11}), r"^layer\.toml\.platform\.python"),
        (manifest(platform={"glibc": -1}), r"^layer\.toml\.platform\.glibc"),
        (manifest(platform={"glibc": 1000}), r"^layer\.toml\.platform\.glibc"),
        (manifest(packages=[]), "at least one"),
        (manifest(packages={}), r"^layer\.toml\.packages: expected a list"),
        (manifest(packages=["numpy"]), r"^layer\.toml\.packages: expected a table"),
        (manifest({"url": "https://example.com"}), r"^layer\.toml\.packages: unknown key 'url'"),
        (manifest({"name": None}), r"^layer\.toml\.packages\.name"),
        (manifest({"version": 2}), r"^layer\.toml\.packages\.version"),
        (manifest({"sha256": "a" * 63}), r"^layer\.toml\.packages: expected a sha256"),
    ],
)
def test_a_wrong_field_is_named(value, words):
    with pytest.raises(ProtocolError, match=words):
        layer(value)
