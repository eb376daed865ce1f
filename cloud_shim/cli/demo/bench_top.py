"""A hand and an eye at the simulated board: covers the sensor, waves before it, changes the light, looks at the LED.

Reaches the simulated hardware directly, as a person at a bench would. So it works with the shim and the broker gone,
and sees the LED itself instead of the agent's word for it.
"""

import time
from collections.abc import Callable

from device.errors import LamplightError
from device.hal.sim.world import World

BRIGHT = 320.0  # lux: an office
DIM = 30.0  # lux: a corridor in the evening
_PATIENCE = 20.0  # seconds, for a busy machine; on others a fraction of one is enough
_HOLD = 0.5  # seconds for which the LED must stay as it is
_POLL = 0.02


class BenchTop:
    """The board on the bench; `led` is its only lamp."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def led(self) -> bool:
        """Whether the LED is lit."""
        pins = self._world.state()["pins"]
        return isinstance(pins, dict) and bool(pins["led"])  # pyright: ignore[reportUnknownArgumentType]

    def light(self, lux: float) -> None:
        """Set the light in the room and take the hand off the sensor."""
        self._world.set(lux=lux, covered=False)

    def cover(self) -> None:
        """Put a hand over the sensor."""
        self._world.set(covered=True)

    def expect_led(self, lit: bool, when: str) -> float:
        """Return when the LED is as `lit` says, and stays so; gives the time of its change, on the monotonic clock.

        LamplightError after `_PATIENCE` seconds.
        """
        otherwise = f"the LED did not {'light' if lit else 'go out'} {when}"
        deadline = time.monotonic() + _PATIENCE
        while True:
            await_that(lambda: self.led == lit, otherwise, deadline - time.monotonic())
            since = time.monotonic()
            if self._stays(lit):
                return since

    def follows_light(self) -> None:
        """The LED is lit in the dark and only then."""
        self.light(BRIGHT)
        self.expect_led(False, "in a bright room")
        self.cover()
        self.expect_led(True, "with the sensor covered")
        self.light(BRIGHT)
        self.expect_led(False, "when the sensor was uncovered")

    def follows_people(self) -> None:
        """The LED is lit in dim light while somebody waves, and only then."""
        self.light(DIM)
        self.expect_led(False, "with nobody there")
        self._wave_until(lambda: self.led, "the LED did not light for somebody waving in dim light")
        self.expect_led(False, "when nobody was there any more")
        self.light(BRIGHT)

    def _wave_until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Move a hand before the sensor, half a second on and off."""
        began = time.monotonic()

        def seen() -> bool:
            self._world.set(covered=int((time.monotonic() - began) * 2) % 2 == 0)
            return condition()

        try:
            await_that(seen, otherwise)
        finally:
            self._world.set(covered=False)

    def _stays(self, lit: bool) -> bool:
        until = time.monotonic() + _HOLD
        while time.monotonic() < until:
            if self.led != lit:
                return False
            time.sleep(_POLL)
        return True


def await_that(condition: Callable[[], bool], otherwise: str, patience: float = _PATIENCE) -> None:
    """Return when the condition holds; LamplightError(otherwise) after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise LamplightError(otherwise)
        time.sleep(_POLL)
