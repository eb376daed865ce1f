"""A cache of the test's own for built wheels, and the board."""

import sys
from pathlib import Path

import pytest

from cloud_shim.cli.release import layers
from cloud_shim.cli.release.layers import Board
from cloud_shim.cli.release.target import Platform

BOARD = Board(Platform("aarch64", (3, 11), 36, "3.11.2"), libraries={"tuf": "6.0"})


@pytest.fixture(autouse=True)
def cached(tmp_path, monkeypatch):
    """The folder of wheels built before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lamplight" / "built"


@pytest.fixture
def function(tmp_path):
    folder = tmp_path / "function"
    folder.mkdir()
    return folder


@pytest.fixture
def said():
    return []


@pytest.fixture
def deploy(function, said):
    """The layer of the function with these requirements; the same as before where none are given."""

    def run(requirements="", build=True):
        if requirements:
            (function / "requirements.txt").write_text(requirements)
        return layers.layer(function, BOARD, said.append, build)

    return run


@pytest.fixture
def sandbox():
    """Skips a test on a machine that confines no build."""
    if sys.platform != "linux":
        pytest.skip("no sandbox on this system")
    from cloud_shim.cli.release.source import inside
    from device.runtime.confinement.probe import mechanisms

    if lacks := inside.missing(mechanisms(), Path("/"), []):
        pytest.skip(f"this machine does not confine {', '.join(lacks)}")
