"""Wheel and sdist built from the tree hold everything that is needed, and work where there is no tree.

The wheel is installed in an environment of its own, which finds the libraries of this one: nothing is fetched.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import threading
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloud_shim.cli.up import ports
from tests.support import until

ROOT = Path(__file__).parents[1]
PACKAGES = ("boards", "cloud_shim", "device", "flashing", "lamplight", "models")
# How the vendored scripts were made; the console does not need it to run.
NOT_NEEDED = "cloud_shim/console/vendoring/"
_SDIST = "from setuptools import build_meta; build_meta.build_sdist('out')"


@dataclass(frozen=True)
class Built:
    """The files of the packages, and the wheel and the sdist that were built from a copy of them."""

    files: set[str]
    wheel: Path
    sdist: Path


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run it without what leads Python to this tree; gives its standard output, fails when it fails."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LAMPLIGHT"))}
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, env={**clean, **environment})
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_wheel(tree: Path) -> Path:
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-q", "-w", "out")
    run(sys.executable, "-m", "pip", "wheel", ".", *options, cwd=tree)
    (wheel,) = (tree / "out").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    files = {str(each.relative_to(tree)) for name in PACKAGES for each in (tree / name).rglob("*") if each.is_file()}
    run(sys.executable, "-c", _SDIST, cwd=tree)
    (sdist,) = (tree / "out").glob("*.tar.gz")
    return Built(files, build_wheel(tree), sdist)


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_no_file_of_the_packages_is_left_out(built: Built) -> None:
    missing = built.files - set(contents(built.wheel))
    assert sorted(each for each in missing if not each.startswith(NOT_NEEDED)) == []


def test_nothing_but_the_packages_is_installed(built: Built) -> None:
    assert {each.split("/")[0] for each in contents(built.wheel) if ".dist-info" not in each} == set(PACKAGES)


def test_the_sdist_makes_the_same_wheel(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    again, first = contents(build_wheel(tree)), contents(built.wheel)
    assert sorted(again) == sorted(first)
    assert [name for name in first if again[name] != first[name]] == []


class Stranger:
    """Someone with the wheel and no clone: an environment and a folder of their own."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self.ports = ports.free(), ports.free()
        environment = folder / "environment"
        venv.create(environment, with_pip=False)
        self.python, self._command = environment / "bin" / "python", environment / "bin" / "lamplight"
        site = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
        # A path in a .pth file is searched, and .pth files in it are not read: an editable Lamplight is not found so.
        shared = [each for each in sys.path if Path(each).name == "site-packages"]
        (site / "shared.pth").write_text("\n".join(shared))
        self.pip("install", "--no-deps", "--no-index", "-q", str(wheel))
        self._up: subprocess.Popen[str] | None = None
        self.lines: list[dict[str, Any]] = []

    def pip(self, *arguments: str) -> str:
        return run(sys.executable, "-m", "pip", "--python", self.python, *arguments, cwd=self.folder)

    def lamplight(self, *arguments: str) -> str:
        return run(self._command, *arguments, cwd=self.folder, LAMPLIGHT_URL=f"http://127.0.0.1:{self.ports[0]}")

    def up(self) -> None:
        """`lamplight up`; returns once the lamp has decided something."""
        port, mqtt = map(str, self.ports)
        command = [str(self._command), "up", "--json", "--port", port, "--mqtt-port", mqtt, "--http-port", "0"]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LAMPLIGHT"))}
        up = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True, env=clean)
        self._up = up
        threading.Thread(target=self._read, args=(up,), daemon=True).start()
        until(lambda: self._decided() or up.poll() is not None, "`lamplight up` is ready")
        assert up.poll() is None, self.lines

    def stop(self) -> None:
        if self._up is not None:
            self._up.send_signal(signal.SIGINT)
            assert self._up.wait(60) == 0

    def _decided(self) -> bool:
        return any(line.get("kind") == "decision" for line in self.lines)

    def _read(self, up: subprocess.Popen[str]) -> None:
        assert up.stdout is not None
        with up.stdout as lines:
            self.lines.extend(json.loads(line) for line in lines)


@pytest.fixture(scope="module")
def stranger(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    made = Stranger(tmp_path_factory.mktemp("stranger"), built.wheel)
    try:
        yield made
    finally:
        made.stop()


def test_what_is_installed_is_the_wheel_and_needs_nothing_more(stranger: Stranger) -> None:
    code = "import boards, cloud_shim, device; print(*(each.__file__ for each in (boards, cloud_shim, device)))"
    places = run(stranger.python, "-c", code, cwd=stranger.folder).split()
    assert all(each.startswith(str(stranger.folder)) for each in places), places
    # What else lies in the shared libraries is not ours to judge.
    command = [sys.executable, "-m", "pip", "--python", str(stranger.python), "check"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=stranger.folder).stdout
    assert [line for line in told.splitlines() if line.startswith("lamplight")] == []


def test_a_stranger_deploys_a_function_and_a_model_and_upgrades_a_board(stranger: Stranger) -> None:
    stranger.up()
    assert stranger.lamplight("new", "night-light", "my-lamp").strip() == "my-lamp"
    stranger.lamplight("deploy", "my-lamp", "--set", "threshold=200", "--trial-seconds", "0.2")
    assert json.loads(stranger.lamplight("--json", "sim", "show"))["lux"] > 0
    stranger.lamplight("new", "presence")
    stranger.lamplight("deploy", "presence")
    told = json.loads(stranger.lamplight("--json", "upgrade", "desk-pi"))
    assert told["state"] == "COMMITTED"
    named = json.loads(stranger.lamplight("sbom", "lamplight"))["metadata"]["component"]
    assert (named["name"], named["version"]) == ("lamplight", told["agent"])
