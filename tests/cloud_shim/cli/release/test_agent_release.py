"""Packing the agent's own code: complete, deterministic, with what it needs, and never what is no code of its own."""

import shutil
from pathlib import Path

import pytest

from cloud_shim.cli.release import agent_release
from device.artifact import agent, archive
from device.errors import BadArtifactError, NotFoundError

ROOT = Path(__file__).parents[4]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    for package in ("device", "boards", "lamplight"):
        shutil.copytree(ROOT / package, made / package)
    shutil.copy(ROOT / "pyproject.toml", made)
    return made


def test_it_holds_the_packages_and_says_what_they_need(tmp_path: Path) -> None:
    data, manifest = agent_release.pack(agent_release.here())
    archive.unpack(data, tmp_path / "tree")
    read = agent.read(tmp_path / "tree")
    agent.check(read)
    assert (read.name, read.version) == ("lamplight", manifest.version)
    assert "tuf>=6" in map(str, read.requires)
    assert {each.name for each in (tmp_path / "tree").iterdir()} == {"device", "boards", "lamplight", "runtime.toml"}
    assert archive.files(ROOT / "device") == archive.files(tmp_path / "tree" / "device")


def test_the_same_code_gives_the_same_bytes_wherever_it_lies(source: Path) -> None:
    (source / "device" / "__pycache__").mkdir(exist_ok=True)
    (source / "device" / "__pycache__" / "x.pyc").write_bytes(b"cache")
    (source / "device" / ".hidden").write_text("an editor's file")
    assert agent_release.pack(source)[0] == agent_release.pack(ROOT)[0]


def test_another_version_gives_other_bytes(source: Path) -> None:
    project = source / "pyproject.toml"
    project.write_text(project.read_text().replace("\nversion = ", '\nversion = "7.7.7"  # instead of '))
    data, manifest = agent_release.pack(source)
    assert manifest.version == "7.7.7"
    assert data != agent_release.pack(ROOT)[0]


def test_a_folder_without_the_packages_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no folder"):
        agent_release.pack(tmp_path)


@pytest.mark.parametrize("text", ["", "= =", "[project]\nversion = '1'"])
def test_a_project_file_that_does_not_say_what_it_needs_is_told(source: Path, text: str) -> None:
    (source / "pyproject.toml").write_text(text)
    with pytest.raises(BadArtifactError, match="what the agent needs"):
        agent_release.pack(source)


def test_a_link_in_the_packages_does_not_travel(source: Path) -> None:
    (source / "device" / "link.py").symlink_to("/etc/hostname")
    with pytest.raises(BadArtifactError):
        agent_release.pack(source)
