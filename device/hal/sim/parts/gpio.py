"""The GPIO lines of a simulated Raspberry Pi, as its kernel shows them: the owner of each line, and its level.

A line let go by its owner keeps its direction and level, as pinctrl-bcm2835 does with persist_gpio_outputs (the default
of Raspberry Pi OS). Every change of a line is recorded, so a test can prove that a line stayed still.
"""

import errno
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

LINES = 58  # BCM2711
# After reset the BCM2711 pulls lines 0 to 8 up and the others down (BCM2711 peripherals, 5.3).
LAST_PULLED_UP = 8
HISTORY = 1000
DIRECTIONS = ("as_is", "input", "output")
BIASES = ("as_is", "disabled", "up", "down")


@dataclass(frozen=True)
class Change:
    """A line became this at time `at` (seconds of the clock given to Gpio)."""

    at: float
    direction: str
    level: bool


@dataclass
class _Line:
    bias: str
    direction: str = "input"
    driven: bool = False
    outside: bool | None = None
    owner: object | None = None
    history: deque[Change] = field(default_factory=lambda: deque[Change](maxlen=HISTORY))
    edge_history: deque[Change] = field(default_factory=lambda: deque[Change](maxlen=HISTORY))
    edges: int = 0

    @property
    def level(self) -> bool:
        """An output has the level it drives; an input has its wire's level, or its pull's; floating reads low."""
        if self.direction == "output":
            return self.driven
        return self.bias == "up" if self.outside is None else self.outside


class Gpio:
    """All lines. An owner is any object: a connection to the simulated hardware."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lines = [_Line(bias="up" if n <= LAST_PULLED_UP else "down") for n in range(LINES)]

    def request(self, lines: Iterable[int], owner: object) -> None:
        """Make `owner` the only one to use `lines`. Raises OSError EBUSY when one of them has an owner."""
        wanted = [self._line(n) for n in lines]
        if any(line.owner is not None for line in wanted):
            raise OSError(errno.EBUSY, "Device or resource busy")
        for line in wanted:
            line.owner = owner

    def release(self, owner: object) -> None:
        """Let go of all lines of `owner`. They keep direction and level."""
        for line in self._lines:
            if line.owner is owner:
                line.owner = None

    def configure(self, number: int, owner: object, direction: str, bias: str, value: bool) -> None:
        """Set a line's direction and bias; an output drives `value` from the start. "as_is" changes nothing."""
        line = self._owned(number, owner)
        before = (line.direction, line.level)
        if bias != "as_is":
            line.bias = bias
        if direction == "output":
            line.driven = value
        if direction != "as_is":
            line.direction = direction
        self._record(line, before)

    def drive(self, number: int, owner: object, value: bool) -> None:
        """Set an output's level. Raises OSError EPERM when the line is an input, as the kernel does."""
        line = self._owned(number, owner)
        if line.direction != "output":
            raise OSError(errno.EPERM, "Operation not permitted")
        before = (line.direction, line.level)
        line.driven = value
        self._record(line, before)

    def read(self, number: int, owner: object) -> bool:
        """A line's level, for its owner."""
        return self._owned(number, owner).level

    def wire(self, number: int, level: bool | None) -> None:
        """Drive a line from outside, as a button does; None is an open contact. An output is stronger."""
        line = self._line(number)
        before = (line.direction, line.level)
        line.outside = level
        self._record(line, before)

    def level(self, number: int) -> bool:
        """A line's level, as a multimeter shows it."""
        return self._line(number).level

    def history(self, number: int) -> list[Change]:
        """The last changes of a line's direction or level, oldest first."""
        return list(self._line(number).history)

    def edges(self, number: int, owner: object, after: int | None) -> tuple[int, list[Change]]:
        """How many edges a line had, for its owner, and the edges after the first `after` of them, oldest first.

        At most HISTORY of them, and an empty list when `after` is None.
        """
        line = self._owned(number, owner)
        wanted = 0 if after is None else min(line.edges - after, len(line.edge_history))
        return line.edges, list(line.edge_history)[len(line.edge_history) - wanted :]

    def _record(self, line: _Line, before: tuple[str, bool]) -> None:
        if (line.direction, line.level) != before:
            line.history.append(change := Change(self._clock(), line.direction, line.level))
            if line.level != before[1]:
                line.edge_history.append(change)
                line.edges += 1

    def _owned(self, number: int, owner: object) -> _Line:
        line = self._line(number)
        if line.owner is not owner:
            # As from a line request after its controller went away: this owner's line was of a connection now gone.
            raise OSError(errno.ENODEV, "No such device")
        return line

    def _line(self, number: int) -> _Line:
        if not 0 <= number < LINES:
            raise OSError(errno.EINVAL, "Invalid argument")
        return self._lines[number]
