"""The board's sensors and their buses: can the bus be opened, does the chip answer, and where.

It reads a sensor as a function does, beside all other readers, and leaves the board unchanged.
"""

import os
from dataclasses import replace
from pathlib import Path

from boards import Board, Bus
from device.doctor.check import Finding, fail, ok, warn
from device.errors import LamplightError
from device.hal.errors import SensorError
from device.hal.hardware import Hardware
from device.hal.sensors import Reading
from device.hal.sim.world import World

# Where a chip can be wired to answer (TSL2561: datasheet TAOS059N, "SMB Alert Response / Slave address": ADDR SEL).
_ADDRESSES = {"tsl2561": {0x29: "to ground", 0x39: "to nothing", 0x49: "to 3.3 V"}}


def node(path: Path) -> Finding:
    """The device node of a bus."""
    if not path.exists():
        return fail(
            f"there is no {path}", "Turn I2C on (`raspi-config nonint do_i2c 0`, or dtparam=i2c_arm=on), then restart"
        )
    if not os.access(path, os.R_OK | os.W_OK):
        return fail(f"{path} may not be used by this user", "Add it to the group: `usermod -aG i2c USER`, log in again")
    return ok(f"{path} can be used")


def bus(of: Bus, simulation: Path | None) -> Finding:
    """One bus of the board, or of the simulated hardware playing it."""
    if simulation is None:
        return node(Path(f"/dev/i2c-{of.number}"))
    with World.connect(simulation):
        return ok(f"simulated, at {simulation}")


def sensor(board: Board, name: str, simulation: Path | None) -> Finding:
    """Read the sensor `name` once."""
    try:
        return judge_reading(_read(board, name, simulation))
    except SensorError as error:
        address = board.sensors[name].address
        found = [each for each in _other_addresses(board, name) if _answers(board, name, each, simulation)]
        told = f"{error.what}: {error.why}"
        if not found:
            return fail(told, error.remedy)
        wired = _ADDRESSES[board.sensors[name].chip]
        return fail(
            f"{told}. It answers at 0x{found[0]:02x}",
            f"Wire its ADDR pin {wired[address]} (it is {wired[found[0]]}), or change the address in the board file",
        )


def judge_reading(reading: Reading) -> Finding:
    """The reading's account of the sensor. (The driver's own lux is None both at saturation and in darkness.)"""
    if reading.saturated:
        return warn("it is saturated: brighter than it can measure", "Shade it, or move it out of direct sunlight")
    if reading.lux == 0:
        return ok("it reads 0.0 lux: complete darkness, unless something covers it")
    return ok(f"it reads {reading.lux:.1f} lux")


def _read(board: Board, name: str, simulation: Path | None) -> Reading:
    opened = Hardware(board, simulation).sensor(name)
    try:
        return opened.read()
    finally:
        opened.close()


def _other_addresses(board: Board, name: str) -> list[int]:
    here = board.sensors[name]
    taken = {each.address for each in board.sensors.values() if each.bus == here.bus}
    known = _ADDRESSES.get(here.chip, {})
    return [each for each in known if each not in taken] if here.address in known else []


def _answers(board: Board, name: str, address: int, simulation: Path | None) -> bool:
    moved = replace(board, sensors={name: replace(board.sensors[name], address=address)})
    try:
        _read(moved, name, simulation)
        return True
    except LamplightError:
        return False
