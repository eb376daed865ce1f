"""The start trigger: one event when a function starts with a new generation. A restart after a crash is no start."""

from device.triggers.delivery import Deliver


class Start:
    """Delivers its only event at once."""

    def __init__(self, deliver: Deliver) -> None:
        deliver("start", "lamplight.start", {})

    @property
    def fault(self) -> None:
        """It delivers in any case."""

    def close(self) -> None:
        """Nothing is left to stop."""
