"""Hardware in a folder of files, with the interface of device.hal.hardware.Hardware, for tests of the runtime alone.

A module of its own, for the zygote unpickles it by name. Every level that anybody drives is appended to `levels`, so
that a pulse is visible afterwards; a line that one process holds is busy for the others.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

import boards
from device.errors import LamplightError
from device.hal.errors import PinBusyError


@dataclass(frozen=True)
class Reading:
    lux: float
    saturated: bool = False


class FakeHardware:
    def __init__(self, folder: Path) -> None:
        self.board = boards.load("lamplight/simulated")
        # Apart from what the agent keeps, and for every user, as the device nodes of a board are.
        self.folder = folder / "hardware"
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o777)

    def files(self, pins: "list[str]", sensors: "list[str]", buses: "list[str]") -> list[Path]:
        return [self.folder]

    def prepare(self) -> None:
        pass

    def output(self, pin: str) -> "Line":
        return Line(self.folder, pin)

    def input(self, pin: str) -> "Line":
        return Line(self.folder, pin)

    def sensor(self, name: str) -> "Sensor":
        return Sensor(self.folder / "lux")

    def rest(self, pin: str, level: bool) -> None:
        line = self.output(pin)
        if line.value != level:
            line.value = level
        line.close()

    # --- for the tests ---

    def levels(self, pin: str) -> list[bool]:
        """Every level that the pin was driven to, in order."""
        path = self.folder / f"{pin}.levels"
        return [each == "1" for each in path.read_text()] if path.exists() else []

    def light(self, lux: "float | str") -> None:
        """Set the light; "unplugged" makes the sensor fail."""
        new = self.folder / "lux.new"
        new.write_text(str(lux))
        new.replace(self.folder / "lux")


class Line:
    def __init__(self, folder: Path, pin: str) -> None:
        self._path = folder / f"{pin}.levels"
        for each in (self._path, folder / f"{pin}.lock"):
            if not each.exists():
                each.touch()
                each.chmod(0o666)
        self._lock = os.open(folder / f"{pin}.lock", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise PinBusyError(f"pin {pin!r} is busy", "another process holds it") from None

    @property
    def value(self) -> bool:
        return self._path.exists() and self._path.read_text().endswith("1")

    @value.setter
    def value(self, level: bool) -> None:
        with self._path.open("a") as levels:
            levels.write("1" if level else "0")

    def close(self) -> None:
        os.close(self._lock)


class Sensor:
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Reading:
        light = self._path.read_text() if self._path.exists() else "100"
        if light == "unplugged":
            raise LamplightError("the light sensor does not answer", "no device at address 0x39")
        return Reading(float(light))

    def close(self) -> None:
        pass
