"""The simulated board put together: the chips on its buses, its GPIO lines, and the light around it.

The board file gives each chip its place. Reaching the board is server.py's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from boards import Board
from device.hal.sim.parts.gpio import Gpio
from device.hal.sim.parts.tsl2561 import Tsl2561

# Linux' answer when no chip acknowledges its address; the number is Linux' own, macOS has no such name.
EREMOTEIO = 121
# The part of the light passing a hand over the sensor.
COVERED = 0.01
OFFICE_LUX = 300.0
BRIGHTEST_LUX = 200_000.0


@dataclass
class Surroundings:
    """The light (lux) at the board, whether a hand covers the sensor, and whether its plug is pulled."""

    lux: float = OFFICE_LUX
    covered: bool = False
    unplugged: bool = False

    @property
    def light(self) -> float:
        """The light at the sensor, in lux."""
        return self.lux * COVERED if self.covered else self.lux


class Assembly:
    """The hardware of `board`. All its sensors stand in the same light."""

    def __init__(self, board: Board, clock: Callable[[], float], noise: float = 0.0) -> None:
        self.board = board
        self.gpio = Gpio(clock)
        self.surroundings = Surroundings()
        places = [(board.buses[s.bus].number, s.address, s.chip) for s in board.sensors.values()]
        self._chips = {(bus, address): MODELS[chip](clock, noise) for bus, address, chip in places}
        self._buses = {bus.number for bus in board.buses.values()}
        self.surround(self.surroundings)

    def surround(self, new: Surroundings) -> None:
        """Change the light, cover the sensor, or pull its plug: a chip without supply forgets its registers."""
        lost = new.unplugged and not self.surroundings.unplugged
        self.surroundings = new
        for chip in self._chips.values():
            if lost:
                chip.reset()
            chip.shine(new.light)

    def has_bus(self, number: int) -> bool:
        """Whether the board has this I2C bus."""
        return number in self._buses

    def transfer(self, bus: int, address: int, data: bytes | None, count: int) -> bytes:
        """One I2C transaction: write `data` unless it is None, then read `count` bytes, with no stop between.

        Raises OSError EREMOTEIO when no chip acknowledges.
        """
        chip = self._chips.get((bus, address))
        if chip is None or self.surroundings.unplugged:
            raise OSError(EREMOTEIO, "Remote I/O error")
        if data is not None:
            chip.write(data)
        return chip.read(count)

    def levels(self) -> dict[str, bool]:
        """The level of each of the board's pins, by its name."""
        return {name: self.gpio.level(pin.line) for name, pin in self.board.pins.items()}


MODELS: dict[str, Callable[[Callable[[], float], float], Tsl2561]] = {
    "tsl2561": lambda clock, noise: Tsl2561(clock, noise=noise),
}
