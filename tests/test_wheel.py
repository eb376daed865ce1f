"""A wheel built from the tree holds everything that the tree's packages need at run time."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("boards", "cloud_shim", "device", "flashing", "models")
# How the vendored scripts were made; the console does not need it to run.
NOT_NEEDED = "cloud_shim/console/vendoring/"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """The files of the packages, and the files of the wheel that was built from a copy of them."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    files = {str(each.relative_to(tree)) for name in PACKAGES for each in (tree / name).rglob("*") if each.is_file()}
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "-q", "-w", "out"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tree / "out").glob("*.whl")
    return files, set(zipfile.ZipFile(wheel).namelist())


def test_no_file_of_the_packages_is_left_out(built: tuple[set[str], set[str]]) -> None:
    files, packed = built
    assert sorted(each for each in files - packed if not each.startswith(NOT_NEEDED)) == []


def test_nothing_but_the_packages_is_installed(built: tuple[set[str], set[str]]) -> None:
    _, packed = built
    assert {each.split("/")[0] for each in packed if ".dist-info" not in each} == set(PACKAGES)
