"""Put the stand-ins below Blinka, before it is imported, and make it take this machine for a Raspberry Pi 4.

From then on `import board`, `busio` and `digitalio` work in this process and in every child forked from it. Nothing is
opened yet: each bus and line connects to the simulated hardware when it is used.
"""

import functools
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

from device.hal.sim.stand_ins import gpiod
from device.hal.sim.stand_ins.smbus import SMBus

FORCED = {"BLINKA_FORCEBOARD": "RASPBERRY_PI_4B", "BLINKA_FORCECHIP": "BCM2XXX"}


def install(socket: Path) -> None:
    """Let Blinka reach the simulated hardware at `socket`. A second call changes the socket for later openings."""
    os.environ.update(FORCED)
    # Blinka chooses its board at the first import, and keeps it.
    if importlib.import_module("adafruit_blinka.agnostic").board_id != FORCED["BLINKA_FORCEBOARD"]:
        raise ImportError("Blinka was imported before the simulated board was put below it")
    sys.modules["gpiod"] = gpiod
    sys.modules["gpiod.line"] = gpiod.line
    gpiod.Chip = functools.partial(gpiod.SimulatedChip, socket)
    _set("Adafruit_PureIO.smbus", "SMBus", functools.partial(SMBus, socket))
    # Blinka looks for /dev/gpiochip* files before it opens a chip.
    _set("adafruit_blinka.microcontroller.generic_linux.raspberry_pi_pin", "_chip_paths", _chip_paths)


def _chip_paths() -> list[Path]:
    return [Path(gpiod.CHIP)]


def _set(module: str, attribute: str, value: object) -> None:
    found: ModuleType = importlib.import_module(module)
    if not hasattr(found, attribute):
        raise ImportError(f"{module} has no {attribute}: this version of Blinka is not one that can be simulated")
    setattr(found, attribute, value)
