"""Where a sensor is wired, for opening its bus and for telling a person where to look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boards import BoardSensor, Bus

if TYPE_CHECKING:
    from busio import I2C  # pyright: ignore[reportMissingTypeStubs]


@dataclass(frozen=True)
class Place:
    """A sensor's place on the board. `open_bus` opens its bus anew at each call."""

    sensor: BoardSensor
    bus: Bus
    open_bus: "Callable[[], I2C]"

    def __str__(self) -> str:
        return f"{self.sensor.chip} at address 0x{self.sensor.address:02x} on bus {self.sensor.bus}"

    @property
    def remedy(self) -> str:
        """Remedies for a person to try when the sensor does not answer."""
        bus = self.bus
        return (
            f"check its wiring (SDA on header pin {bus.sda}, SCL on {bus.scl}, 3.3 V and ground), "
            f"and whether `i2cdetect -y {bus.number}` shows {self.sensor.address:02x}"
        )
