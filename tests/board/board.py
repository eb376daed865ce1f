"""A virtual Raspberry Pi 3B with a Lamplight on it, and the home it belongs to, for any test that wants a real board.

    with Board(tmp_path) as board:          a card made by `flash.py image`, in an emulator; not switched on yet
        board.power_on()                    boots it; the first time through the image's own first boot
        board.comes_online()                the agent has connected
        board.home.run("deploy", …)         the real command line, against a real shim and a real broker
        board.sensor.lux = 5                light on the TSL2561;  .plugged = False takes it off its bus
        board.led                           the level of the LED's line, out of the GPIO controller's register
        board.emulator.shell.run("…")       a root shell on the board, which needs no network
        board.emulator.power_off()          the plug pulled: SIGKILL
        board.link(False)                   the network cable pulled
    board.copy_card(path)               the card as a power cut at this moment would leave it

`ssh -p {board.ssh_port} pi@127.0.0.1` leads to the board's SSH server, with the key board.ssh_key. A boot takes
a minute or two on two quiet cores; the first one, which installs the agent, takes six. It tests nothing itself.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar, Self

from cloud_shim.cli.up import ports
from device.hal.sim.parts.tsl2561 import Tsl2561
from tests.board.base import build
from tests.board.home import Home
from tests.board.machine.emulator import Emulator
from tests.board.machine.i2c_adapter import I2cAdapter
from tests.support import until

NAME = "shelf-pi"
KIND = "raspberry-pi/3b"
# How the emulated network calls the machine that it runs on (QEMU, "Using the user mode network stack").
HOST = "10.0.2.2"
LED_LINE = 17
# Seconds in which an emulated processor on a busy machine does anything; only a failing test waits this long.
PATIENCE = 1200.0
_REPOSITORY = Path(__file__).parents[2]


class Sensor:
    """The TSL2561 on the board's bus."""

    ADDRESS = 0x39

    def __init__(self, adapter: I2cAdapter) -> None:
        self._adapter = adapter
        self._chip = Tsl2561(time.monotonic)
        self.lux = 320.0
        self.plugged = True

    @property
    def lux(self) -> float:
        """The light that falls on it."""
        return self._lux

    @lux.setter
    def lux(self, lux: float) -> None:
        self._lux = lux
        with self._adapter.lock:
            self._chip.shine(lux)

    @property
    def plugged(self) -> bool:
        """Whether it is on the bus; plugged in again it has lost its registers."""
        return self.ADDRESS in self._adapter.chips

    @plugged.setter
    def plugged(self, plugged: bool) -> None:
        with self._adapter.lock:
            if plugged:
                self._chip.reset()
                self._adapter.chips[self.ADDRESS] = self._chip
            else:
                self._adapter.chips.pop(self.ADDRESS, None)


class Board:
    """The board, its card, its home; all files are in `folder`, whose path must be short enough for a socket's.

    The card is made of the image `base`, or of the usual one. `made` are those that are in use.
    """

    made: ClassVar[list["Board"]] = []

    def __init__(self, folder: Path, base: Path | None = None) -> None:
        self.folder = folder
        self._base = base
        self.card = folder / "card.img"
        self.ssh_key = folder / "ssh_key"
        self.ssh_port = ports.free()
        self.home = Home(folder / "home", HOST)
        self._adapter = I2cAdapter(folder / "usb.sock")
        self.sensor = Sensor(self._adapter)
        self.emulator = Emulator(folder, self.card, folder / "usb.sock", self.ssh_port)

    def __enter__(self) -> Self:
        self.made.append(self)
        try:
            self.home.start()
            self._make_card()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.made.remove(self)
        self.emulator.power_off()
        self._adapter.close()
        self.home.close()

    @property
    def led(self) -> bool:
        """The level that the GPIO controller drives or sees on the LED's line."""
        return self.emulator.qmp.level(LED_LINE)

    def led_becomes(self, lit: bool) -> None:
        """Wait for the LED itself, not for what anybody says of it."""
        until(lambda: self.led is lit, f"the LED is {'lit' if lit else 'out'}", PATIENCE)

    def power_on(self, arguments: str = "", network: bool = True) -> None:
        """Switch it on, with more kernel `arguments`, the cable plugged or not; returns before it has booted."""
        self.emulator.power_on(arguments)
        self.link(network)

    def link(self, up: bool) -> None:
        """Plug the network cable in, or pull it."""
        self.emulator.qmp.execute("set_link", name="net", up=up)

    def copy_card(self, to: Path) -> None:
        """Copy the card while the board stands still: all that it has written is on it, and nothing that it holds."""
        self.emulator.qmp.execute("stop")
        subprocess.run(["cp", "--sparse=always", self.card, to], check=True)
        self.emulator.qmp.execute("cont")

    def comes_online(self) -> None:
        """Wait until the shim sees the agent of the present start of the board."""
        until(lambda: self.home.knows(NAME), f"{NAME} is let in by its card's token", PATIENCE)
        until(lambda: self.home.device(NAME)["online"], f"{NAME} is online", PATIENCE)

    def goes_offline(self) -> None:
        """Wait until the broker has noticed that the board is gone."""
        until(lambda: not self.home.device(NAME)["online"], f"{NAME} is offline", PATIENCE)

    def flash(self, *arguments: str) -> Any:
        """What `flash.py --json ARGUMENTS` gives, with this home's shim; fails when it fails."""
        command = [sys.executable, "flash.py", "--json", *arguments]
        environment = {**os.environ, "LAMPLIGHT_URL": self.home.url}
        done = subprocess.run(command, cwd=_REPOSITORY, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def _make_card(self) -> None:
        """The card, as a person makes it: `flash.py image`."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.ssh_key)], check=True)
        made = ["image", "--board", KIND, "--base", str(self._base or build.image()), "--name", NAME]
        reach = ["--broker", f"{HOST}:{self.home.wire.port}", "--ssh-key", f"{self.ssh_key}.pub", "--python", "3.13"]
        self.flash(*made, *reach, "-o", str(self.card))
