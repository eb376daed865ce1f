"""The common part of all light sensors, whatever the chip."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Reading:
    """One measurement. `lux` is always there: 0.0 in darkness, and the highest measurable value when `saturated`."""

    lux: float
    saturated: bool


class LightSensor(Protocol):
    """A light sensor on a bus. One thread uses it at a time."""

    def read(self) -> Reading:
        """The light of the last complete measurement.

        Raises SensorError when the sensor does not answer; the next call starts it anew.
        """
        ...

    def close(self) -> None:
        """Let go of the bus."""
        ...
