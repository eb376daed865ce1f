"""The power is cut in a board's first boot, while it installs the agent: the next boot ends what that one began."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.board import PATIENCE, Board
from tests.support import until

pytestmark = pytest.mark.board


@pytest.fixture
def board() -> Iterator[Board]:
    """Off, with its card in it."""
    with tempfile.TemporaryDirectory(prefix="lamplight-cut-") as folder, Board(Path(folder)) as made:
        yield made


def unpacking(board: Board) -> bool:
    """Whether the agent is being unpacked. What is typed before the shell is there is lost."""
    try:
        return board.emulator.shell.run("test -d /opt/lamplight.new/device && echo yes || true", 15.0) == "yes"
    except AssertionError:
        return False


def test_the_next_boot_ends_it(board: Board) -> None:
    board.power_on()
    until(lambda: unpacking(board), "the agent is being unpacked", PATIENCE)
    board.emulator.power_off()
    board.power_on()
    board.comes_online()
    shell = board.emulator.shell
    assert shell.run("ls /opt") == "lamplight"
    assert shell.run("systemctl is-active lamplight.service") == "active"
