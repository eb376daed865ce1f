"""An image without cloud-init, as Raspberry Pi OS was: its card installs by `firstrun.sh`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.base import medium, older
from tests.board.board import NAME, PATIENCE, Board
from tests.support import until

pytestmark = pytest.mark.board


@pytest.fixture
def board() -> Iterator[Board]:
    """Off, with its card in it."""
    with tempfile.TemporaryDirectory(prefix="lamplight-older-") as folder:
        base = older.image(Path(folder) / "base.img")
        with Board(Path(folder), base) as made:
            yield made


def test_the_script_installs_it_once_and_starts_the_board_again(board: Board) -> None:
    assert "systemd.run=" in medium.read(board.card, "cmdline.txt").decode()
    board.power_on()
    # The emulated board cannot: that is the watchdog's work.
    until(lambda: "reboot: Restarting system" in board.emulator.console, "it starts again by itself", PATIENCE)
    board.emulator.power_off()
    board.power_on()
    board.comes_online()
    shell = board.emulator.shell
    assert "systemd.run=" not in shell.run("cat /boot/firmware/cmdline.txt")
    assert "firstrun.sh" not in shell.run("ls /boot/firmware")
    assert shell.run("cat /etc/hostname") == NAME
    assert board.home.device(NAME)["reported"]["sensors"] == {"light": {"ok": True, "error": ""}}
