"""The hardware of one board, by logical names. The only door to pins and sensors for the rest of the device.

Making a Hardware imports and opens nothing, so that it can be sent to another process. Blinka is imported by prepare();
pins and sensors are opened by their users, each process for itself.
"""

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from boards import Board
from device.errors import NotFoundError, UsageError
from device.hal.sensors import CHIPS, LightSensor, Place
from device.hal.sim.stand_ins.install import install

if TYPE_CHECKING:
    from device.hal.edges import Edges
    from device.hal.pins import Input, Output

Part = TypeVar("Part")


class Hardware:
    """The pins and sensors of `board`; `simulation` is the socket of the simulated hardware for a simulated one.

    Raises UsageError when only one of the two is simulated.
    """

    def __init__(self, board: Board, simulation: Path | None = None) -> None:
        if board.simulated and simulation is None:
            raise UsageError(
                f"the board {board.name} has no hardware of its own",
                "it is simulated, and no socket of the simulated hardware is given",
                "start one: python -m device.hal.sim --socket PATH",
            )
        if simulation is not None and not board.simulated:
            raise UsageError(f"the board {board.name} is not simulated", "a socket of simulated hardware is given")
        self.board = board
        self._simulation = simulation

    def prepare(self) -> None:
        """Import Blinka and the drivers: slow the first time, so do it before forking. Opens no file descriptors.

        Raises UsageError when this machine is another board than the configured one.
        """
        if not (self.board.pins or self.board.buses):
            return
        drivers = [self._find("driver", CHIPS, sensor.chip).driver for sensor in self.board.sensors.values()]
        try:
            # Without this Blinka may ask on the terminal whether to install packages.
            os.environ["BLINKA_SKIP_DEPENDENCY_CHECK"] = "1"
            if self.board.machine.select:
                os.environ[self.board.machine.select] = "1"
            if self._simulation is not None:
                install(self._simulation)
            for module in ("device.hal.pins", *drivers):
                importlib.import_module(module)
            self._check_names()
        except (ImportError, NotImplementedError, RuntimeError, AttributeError) as error:
            raise UsageError(
                f"the hardware of {self.board.name} cannot be used here",
                str(error).strip(),
                "name the board that this machine is in its configuration, or use lamplight/simulated",
            ) from error

    def files(self, pins: Sequence[str], sensors: Sequence[str], buses: Sequence[str] = ()) -> list[Path]:
        """The device nodes, or the simulation's socket, for using these pins, sensors and buses."""
        if not pins and not sensors and not buses:
            return []
        if self._simulation is not None:
            return [self._simulation.absolute()]
        used = {*buses, *(self._find("sensor", self.board.sensors, name).bus for name in sensors)}
        numbers = {self._find("bus", self.board.buses, name).number for name in used}
        chips = sorted(Path("/dev").glob("gpiochip*")) if pins else []
        return [*chips, *(Path(f"/dev/i2c-{number}") for number in sorted(numbers))]

    def output(self, pin: str) -> "Output":
        """The output `pin`, at its present level. Raises PinError (busy, not permitted) and NotFoundError."""
        found = self._find("pin", self.board.pins, pin)
        self.prepare()
        from device.hal.pins import Output

        return Output(pin, found)

    def input(self, pin: str) -> "Input":
        """The input `pin`. Raises NotFoundError."""
        found = self._find("pin", self.board.pins, pin)
        self.prepare()
        from device.hal.pins import Input

        return Input(pin, found)

    def edges(self, pin: str, pull: str = "") -> "Edges":
        """The edges of the input `pin`; `pull` as in the board file, and from there when it is "".

        Raises PinError (busy, not permitted) and NotFoundError.
        """
        found = self._find("pin", self.board.pins, pin)
        self.prepare()
        from device.hal.edges import Edges

        return Edges(pin, found, pull or found.pull)

    def sensor(self, name: str) -> LightSensor:
        """The sensor `name`; its first read opens it, and may raise SensorError. Raises NotFoundError."""
        found = self._find("sensor", self.board.sensors, name)
        chip = self._find("driver", CHIPS, found.chip)
        bus = self.board.buses[found.bus]
        self.prepare()
        return chip.sensor(Place(found, bus, lambda: self._open_bus(bus.blinka)))

    def rest(self, pin: str, level: bool) -> None:
        """Drive an output to its safe level and let go of it. A pin at this level does not change."""
        found = self._find("pin", self.board.pins, pin)
        self.prepare()
        from device.hal.pins import Output

        Output(pin, found, level).close()

    def _check_names(self) -> None:
        """Blinka has a `board` without pins for a machine unknown to it."""
        needed = [*(p.blinka for p in self.board.pins.values()), *(b.blinka for b in self.board.buses.values())]
        missing = [name for name in needed if not hasattr(_blinka_board(), name)]
        if missing:
            raise NotImplementedError(f"Blinka sees no {', '.join(missing)} on this machine")

    def _open_bus(self, blinka: str) -> Any:
        # Again: another Hardware of this process may have chosen another simulation since.
        self.prepare()
        return getattr(_blinka_board(), blinka)()

    def _find(self, kind: str, present: Mapping[str, Part], name: str) -> Part:
        if name not in present:
            known = ", ".join(sorted(present)) or "none"
            raise NotFoundError(f"the board {self.board.name} has no {kind} {name!r}", f"it has: {known}")
        return present[name]


def _blinka_board() -> Any:
    return importlib.import_module("board")
