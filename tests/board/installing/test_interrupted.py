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


def test_the_next_boot_ends_it(board: Board) -> None:
    board.power_on()
    unpacking = "test -d /opt/lamplight.new/device && echo yes || true"
    until(lambda: board.emulator.shell.run(unpacking) == "yes", "the agent is being unpacked", PATIENCE)
    board.emulator.power_off()
    board.power_on()
    board.comes_online()
    shell = board.emulator.shell
    assert shell.run("ls /opt") == "lamplight"
    assert shell.run("systemctl is-active lamplight.service") == "active"
