"""Which packages a release has, and what their metadata says of their licence."""

import json
from email.message import Message

import pytest

from cloud_shim.releases import inventory
from cloud_shim.releases.inventory import Package
from cloud_shim.releases.release import Release
from device.artifact import archive


def release(kind, manifest):
    return Release(kind, "x", 1, "a" * 64, 10, "", json.dumps(manifest), 0.0)


def test_a_layers_packages_have_their_wheels_digest():
    packages = [{"name": "Zope.Interface", "version": "7.0", "sha256": "b" * 64}]
    found = inventory.packages(release("layer", {"platform": {}, "packages": packages}))
    assert found == (Package("zope-interface", "7.0", sha256="b" * 64),)


def test_the_agents_are_ranges_and_functions_have_none():
    manifest = {"name": "lamplight", "version": "0.2.0", "requires": ["tuf>=6", "gpiod; sys_platform == 'linux'"]}
    agent = release("agent", manifest)
    assert inventory.packages(agent) == (Package("gpiod"), Package("tuf", requires=">=6"))
    assert inventory.agent_version(agent) == "0.2.0"
    function = release("function", {"name": "x"})
    assert (inventory.packages(function), inventory.agent_version(function)) == ((), "")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), ("License", "x")], "MIT OR Apache-2.0"),
        ([("License", "BSD-3-Clause")], "BSD-3-Clause"),
        ([("License", "UNKNOWN")], ""),
        ([("License", "Permission is hereby granted\n and so on")], ""),
        ([("License", "x" * 101), ("Classifier", "License :: OSI Approved :: MIT License")], "MIT License"),
        ([("Classifier", "License :: OSI Approved"), ("Classifier", "Topic :: X")], "OSI Approved"),
        ([], ""),
    ],
    ids=str,
)
def test_the_licence_of_a_package(fields, expected):
    about = Message()
    for key, value in fields:
        about[key] = value
    assert inventory.licence(about) == expected


def test_licences_are_read_from_the_layers_tar(tmp_path):
    for name, text in {
        "site/Leaf_Pkg-1.0.dist-info/METADATA": "Name: Leaf_Pkg\nVersion: 1.0\nLicense: MIT\n\nLicense: not this\n",
        "site/odd-2.0.dist-info/METADATA": "\xff\n\n\n",
        "site/leaf/METADATA": "Name: leaf-pkg\nVersion: 1.0\nLicense: not this\n",
    }.items():
        (tmp_path / "layer" / name).parent.mkdir(parents=True)
        (tmp_path / "layer" / name).write_bytes(text.encode("latin-1"))
    (tmp_path / "tar").write_bytes(archive.pack(tmp_path / "layer"))
    found = inventory.described((Package("leaf-pkg", "1.0"), Package("odd", "2.0")), tmp_path / "tar")
    assert [each.licence for each in found] == ["MIT", ""]


LOCK = """
lock-version = "1.0"
created-by = "lamplight"
[[packages]]
name = "leaf"
version = "1.0"
[[packages.wheels]]
name = "leaf-1.0-py3-none-any.whl"
url = "{url}"
hashes = {{ sha256 = "{digest}" }}
"""


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        (LOCK.format(url="https://files.example/leaf-1.0-py3-none-any.whl", digest="a" * 64), True),
        (LOCK.format(url="javascript:alert(1)", digest="a" * 64), False),
        (LOCK.format(url="https://files.example/ <b>", digest="a" * 64), False),
        (LOCK.format(url="https://files.example/leaf-1.0-py3-none-any.whl", digest="b" * 64), False),
        ("x = " + "[" * 5000, False),
        ("no lock", False),
        (None, False),  # a layer of 0.1
    ],
)
def test_origins_are_read_from_the_layers_lock_where_it_has_one(tmp_path, text, origin):
    layer = tmp_path / "layer"
    (layer / "site").mkdir(parents=True)
    (layer / "site" / "leaf.py").write_text("")
    if text is not None:
        (layer / "pylock.toml").write_text(text)
    (tmp_path / "tar").write_bytes(archive.pack(layer))
    (found,) = inventory.described((Package("leaf", "1.0", sha256="a" * 64),), tmp_path / "tar")
    assert found.origin == ("https://files.example/leaf-1.0-py3-none-any.whl" if origin else "")


@pytest.mark.parametrize(
    "tool", [f'[packages.tool.lamplight]\nsha256 = "{"a" * 64}"\n', "[packages.tool]\nlamplight = 3\n", ""]
)
def test_the_origin_of_a_package_that_was_built_is_its_source(tmp_path, tool):
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "lamplight"\n[[packages]]\nname = "leaf"\nversion = "1.0"\n'
        f'[packages.sdist]\nurl = "https://files.example/leaf-1.0.tar.gz"\nhashes = {{ sha256 = "{"c" * 64}" }}\n{tool}'
    )
    (tmp_path / "tar").write_bytes(archive.pack(layer))
    (found,) = inventory.described((Package("leaf", "1.0", sha256="a" * 64),), tmp_path / "tar")
    assert found.origin == ("https://files.example/leaf-1.0.tar.gz" if "sha256" in tool else "")
