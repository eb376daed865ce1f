"""The command line of `flash.py`, run in this process, and disks that are files."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import boards
from flashing import agent, cli
from tests.flashing.conftest import MIB, needed, wheel
from tests.flashing.machine import Machine

Run = Callable[..., tuple[int, str, str]]
MakeDisk = Callable[..., Path]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line; gives exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = cli.run([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def make_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeDisk:
    """Makes a disk that is a file; all of them are what lsblk tells."""
    told: list[dict[str, object]] = []
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "lsblk").write_text(f"#!/bin/sh\ncat {tmp_path}/disks.json\n")
    (tmp_path / "bin" / "lsblk").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    def make(name: str, size: int = 64 * MIB, rm: bool = True, mount: str | None = None) -> Path:
        path = tmp_path / name
        path.write_bytes(b"\xee" * min(size, 64 * MIB))
        disk = {"path": str(path), "type": "disk", "size": size, "rm": rm, "hotplug": rm, "ro": False, "model": "Card"}
        told.append({**disk, "children": [{"mountpoints": [mount]}]})
        (tmp_path / "disks.json").write_text(json.dumps({"blockdevices": told}))
        return path

    return make


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine(tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def archives() -> dict[object, dict[str, bytes]]:
    """The agent's archives that were made, by the board's kind and its Pythons."""
    return {}


@pytest.fixture(autouse=True)
def made_once(archives: dict[object, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives are made by the real pip at the first test that asks for them; the next tests get the same."""
    make = agent.archives

    def made(machine: boards.Machine, pythons: Sequence[str], say: Callable[[str], None]) -> dict[str, bytes]:
        key = (machine.wheels, *pythons)
        if key not in archives:
            archives[key] = make(machine, pythons, say)
        return archives[key]

    monkeypatch.setattr(agent, "archives", made)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of pip's index, with wheels for any machine."""
    folder = tmp_path / "index"
    folder.mkdir()
    for each in needed():
        oldest = next((bound.version for bound in each.specifier if bound.operator == ">="), "1")
        wheel(folder, f"{each.name.lower().replace('-', '_')}-{oldest}", "py3-none-any")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder
