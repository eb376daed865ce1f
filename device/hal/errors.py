"""What can go wrong with hardware. Each says which pin or chip, why, and what to try."""

from device.errors import LamplightError


class PinError(LamplightError):
    """A pin cannot be opened, read or driven."""


class PinBusyError(PinError):
    """Another process holds the pin's line; it may let go."""


class SensorError(LamplightError):
    """A sensor gave no reading. The next read tries again from the start."""
