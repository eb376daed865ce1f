"""The agent's archive for a board: the board's wheels and not this machine's, made by the real pip from a folder."""

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import boards
from cloud_shim.cli.release.target import described
from device.errors import LamplightError, NotFoundError, RejectedError
from flashing import agent
from tests.flashing.conftest import fill, needed

PI = boards.load("raspberry-pi/4b").machine


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as environment:
        fill(tmp_path_factory.mktemp("index") / "wheels", environment)
        return agent.archives(PI, ["3.13"], lambda _: None)


@pytest.fixture(scope="module")
def tree(made: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive") / "tree"
    with tarfile.open(fileobj=io.BytesIO(made["agent-3.13.tar.gz"])) as archive:
        archive.extractall(folder, filter="data")
    return folder


def test_the_wheels_are_the_boards_even_where_this_machine_has_newer_ones(tree: Path) -> None:
    assert "aarch64" in (tree / "numpy" / "__init__.py").read_text()
    installed = {each.name.partition("-")[0].lower() for each in tree.glob("*.dist-info")}
    assert installed >= {each.name.lower().replace("-", "_") for each in needed()}


def test_the_agent_starts_from_it_and_knows_its_version(tree: Path) -> None:
    code = "import boards, device.launcher, device.version as v; print(v.this(), len(boards.names()), device.__file__)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env={"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=True
    )
    version, count, where = done.stdout.split()
    assert version != "0" and int(count) == len(boards.names()) and where.startswith(str(tree))


def test_the_libraries_tests_and_tools_stay_behind(tree: Path) -> None:
    assert (tree / "numpy" / "core").is_dir() and not list(tree.rglob("tests"))
    assert sorted(each.name for each in (tree / "onnxruntime").iterdir()) == ["__init__.py", "capi", "core"]
    assert not list((tree / "onnxruntime" / "capi").iterdir()) and not list(tree.rglob("*.pyi"))
    # Another package's files of these names are its own.
    assert (tree / "numpy" / "quantization").is_dir() and list((tree / "numpy" / "capi").iterdir())


def test_nothing_on_it_belongs_to_who_made_it_or_may_be_written_by_others(made: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(made["agent-3.13.tar.gz"])) as archive:
        entries = archive.getmembers()
    assert {(each.uid, each.gid, each.mode & 0o022) for each in entries} == {(0, 0, 0)}


def test_the_sums_are_those_of_the_archives(made: dict[str, bytes]) -> None:
    digest = hashlib.sha256(made["agent-3.13.tar.gz"]).hexdigest()
    assert made["SHA256SUMS"].decode() == f"{digest}  agent-3.13.tar.gz\n"


def test_a_missing_wheel_is_told_in_pips_words(wheels: Path) -> None:
    next(wheels.glob("onnxruntime*aarch64.whl")).unlink()
    with pytest.raises(LamplightError, match=r"cannot be met.*onnxruntime"):
        agent.archives(PI, ["3.13"], lambda _: None)


def test_a_board_without_wheels_is_refused_before_anything_is_fetched() -> None:
    with pytest.raises(RejectedError, match="no wheels for this board"):
        agent.archives(boards.load("beagleboard/beaglebone-black").machine, ["3.13"], lambda _: None)


def test_a_newer_glibc_takes_what_was_made_for_an_older_one() -> None:
    tags = described("manylinux_2_36_aarch64", "3.13", "aarch64").tags()
    assert tags[0] == "manylinux_2_36_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"} < set(tags)


@pytest.mark.parametrize("python", ["3.9", "2.7", "3", "3.x", "4.0"])
def test_a_python_that_the_agent_does_not_run_on(python: str) -> None:
    with pytest.raises(NotFoundError, match="does not run on Python"):
        agent.check_pythons([python])


def test_what_models_need_is_what_the_project_says() -> None:
    assert set(agent.MODELS) <= {str(each) for each in needed()}
