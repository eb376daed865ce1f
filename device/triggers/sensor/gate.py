"""Picks the readings of a sensor worth an event. Pure: each gate is shown the readings in order."""

from typing import Protocol


class Gate(Protocol):
    """Sees every reading; one for each trigger."""

    def see(self, lux: float) -> str:
        """The event type of this reading, "" for none."""
        ...


class Every:
    """Every reading is an event."""

    def see(self, lux: float) -> str:
        """Always a reading."""
        return "lamplight.sensor.reading"


class Threshold:
    """A crossing is an event: to more than `above`, to less than `below`. In between the side stays the same
    (hysteresis).

    The first reading outside of the band is an event too, for a starting function must learn its side.
    """

    def __init__(self, above: float, below: float) -> None:
        self._above = above
        self._below = below
        self._side = ""

    def see(self, lux: float) -> str:
        """A crossing, or ""."""
        side = "above" if lux > self._above else "below" if lux < self._below else self._side
        crossed = side != self._side
        self._side = side
        return f"lamplight.sensor.{side}" if crossed else ""


class Change:
    """A reading is an event when it differs by at least `delta` from the last event's; so is the first."""

    def __init__(self, delta: float) -> None:
        self._delta = delta
        self._last: float | None = None

    def see(self, lux: float) -> str:
        """A change, or ""."""
        if self._last is not None and abs(lux - self._last) < self._delta:
            return ""
        self._last = lux
        return "lamplight.sensor.change"


def gate(above: float | None, below: float | None, delta: float | None) -> Gate:
    """The gate for a trigger's limits."""
    if above is not None and below is not None:
        return Threshold(above, below)
    return Change(delta) if delta is not None else Every()
