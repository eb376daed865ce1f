"""The start trigger: one event when a function starts with a new generation. Restarts after a crash are left out."""

from device.triggers.delivery import Deliver


class Start:
    """Delivers its only event at once."""

    def __init__(self, deliver: Deliver) -> None:
        deliver("start", "lamplight.start", {})

    @property
    def fault(self) -> None:
        """It delivers in any case."""

    def close(self) -> None:
        """Has no effect: its one event is delivered already."""
