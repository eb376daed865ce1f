"""The errors of hardware. Each names the pin or chip, the reason, and a remedy."""

from device.errors import LamplightError


class PinError(LamplightError):
    """A pin cannot be opened, read or driven."""


class PinBusyError(PinError):
    """Another process holds the pin's line; it may let go."""


class SensorError(LamplightError):
    """A sensor gave no reading. The next read tries again from the start."""
