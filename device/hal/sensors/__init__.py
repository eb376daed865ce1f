"""The chips with a driver: one row each. Importing this imports no driver and opens nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from device.hal.sensors.light import LightSensor, Reading
from device.hal.sensors.place import Place
from device.hal.sensors.tsl2561 import Tsl2561


@dataclass(frozen=True)
class Chip:
    """A kind of chip: the module of its CircuitPython driver, and our class over the driver."""

    driver: str
    sensor: Callable[[Place], LightSensor]


# By their names in board files.
CHIPS: Mapping[str, Chip] = {
    "tsl2561": Chip("adafruit_tsl2561", Tsl2561),
}

__all__ = ["CHIPS", "Chip", "LightSensor", "Place", "Reading"]
