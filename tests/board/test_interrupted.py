"""The power is cut in a board's first boot, while it installs the agent: the next boot ends what that one began.

The card is that of the shared board, copied at that moment. Its own emulator has no network: the shared board is the
device that this one would be.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_shim.cli.up import ports
from tests.board.board import PATIENCE, Board
from tests.board.conftest import Shared
from tests.board.machine.emulator import Emulator
from tests.board.machine.i2c_adapter import I2cAdapter
from tests.support import until

pytestmark = pytest.mark.board


@pytest.fixture
def emulator(board: Board, shared: Shared) -> Iterator[Emulator]:
    """Off, with the card of the cut in it."""
    with tempfile.TemporaryDirectory(prefix="lamplight-cut-") as name:
        folder = Path(name)
        adapter = I2cAdapter(folder / "usb.sock")
        made = Emulator(folder, shared.cut, folder / "usb.sock", ports.free())
        yield made
        made.power_off()
        adapter.close()


def test_the_next_boot_ends_it(emulator: Emulator) -> None:
    emulator.power_on()
    emulator.qmp.execute("set_link", name="net", up=False)
    until(lambda: "Generation 0 runs" in emulator.console, "the agent runs", PATIENCE)
    assert emulator.shell.run("ls /opt") == "lamplight"
    assert emulator.shell.run("systemctl is-active lamplight.service") == "active"
    assert "token" not in emulator.shell.run("ls /boot/firmware/lamplight").split()
