"""One virtual board for all tests of this folder: its card made and its first boot done once, as a person would.

Those of `installing` have boards of their own, and do not use it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.board import NAME, Board


@pytest.fixture(scope="session")
def board() -> Iterator[Board]:
    """A board that is on and online, in a bright room; a test that switches it off switches it on again."""
    with tempfile.TemporaryDirectory(prefix="lamplight-board-") as folder, Board(Path(folder)) as made:
        made.power_on()
        try:
            made.comes_online()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{made.emulator.console[-4000:]}") from None
        yield made


@pytest.fixture
def night_light(board: Board, tmp_path: Path) -> Path:
    """The starter, deployed and running, in a bright room."""
    folder = tmp_path / "night-light"
    board.home.run("new", "night-light", str(folder))
    board.sensor.lux, board.sensor.plugged = 320.0, True
    deploy(board, folder)
    return folder


def deploy(board: Board, folder: Path) -> None:
    """Deploy, and wait until the board has kept it."""
    board.home.run("deploy", str(folder), "--device", NAME, "--timeout", "600")
