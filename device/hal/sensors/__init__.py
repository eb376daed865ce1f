"""The chips there is a driver for: one row each. Importing this imports no driver and opens nothing."""

from collections.abc import Callable, Mapping

from device.hal.sensors.light import LightSensor, Reading
from device.hal.sensors.place import Place
from device.hal.sensors.tsl2561 import Tsl2561

# `chip` in a board file → its class.
CHIPS: Mapping[str, Callable[[Place], LightSensor]] = {
    "tsl2561": Tsl2561,
}

__all__ = ["CHIPS", "LightSensor", "Place", "Reading"]
