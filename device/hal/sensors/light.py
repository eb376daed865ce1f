"""What every light sensor gives, whatever its chip."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Reading:
    """One measurement. `lux` is never missing: 0.0 in darkness, and the highest measurable value when `saturated`."""

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
