"""Output and input pins through Blinka's digitalio. Importing this imports Blinka: see hardware.py.

Two things are done otherwise than by a plain DigitalInOut: an output keeps the present level of its line, and an input
is held only during a read, so that several functions may read one button.
"""

import errno
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import board  # pyright: ignore[reportMissingTypeStubs]
import digitalio  # pyright: ignore[reportMissingTypeStubs]

from boards import BoardPin
from device.hal.errors import PinBusyError, PinError

# Blinka has no types; these two are its only uses here.
_board: Any = board
_io: Any = digitalio

PULLS = {"": None, "up": _io.Pull.UP, "down": _io.Pull.DOWN}
# Another function holds an input for about a millisecond at each of its reads.
INPUT_TRIES = 500
INPUT_PAUSE = 0.002


class _HeldOutput(_io.DigitalInOut):
    """A DigitalInOut that is an output from the start and takes its line over at its present level.

    A plain one makes the line an input first, so that a lamp goes out, and `switch_to_output(value=True)` then drives
    it low before high: a relay would pulse. Here the line is requested unchanged, read, and only then made an output,
    at that level in the same request. (libgpiod_pin_2_x.py; the kernel sets level before direction.) With a `level` it
    is driven to that in the same way: an input becomes an output at that level from its first moment.
    """

    def __init__(self, pin: Any, level: bool | None = None) -> None:
        held = self._pin = _io.Pin(pin.id)
        held.init(mode=None)
        # The level driven by init(OUT). Blinka sets it only together with an output's line.
        held._value = int(held.value() if level is None else level)
        held.init(mode=held.OUT)

    @property
    def direction(self) -> Any:
        """Always an output; the base class asks before it drives."""
        return _io.Direction.OUTPUT


class Output:
    """The output pin called `name`. It has `level`, or else its earlier level, until `value` is set."""

    def __init__(self, name: str, pin: BoardPin, level: bool | None = None) -> None:
        self._name = name
        self._pin = pin
        with explained(name, pin):
            self._line = _HeldOutput(getattr(_board, pin.blinka), level)

    @property
    def value(self) -> bool:
        """The level of the line. Raises PinError."""
        with explained(self._name, self._pin):
            return bool(self._line.value)

    @value.setter
    def value(self, level: bool) -> None:
        with explained(self._name, self._pin):
            self._line.value = bool(level)

    def close(self) -> None:
        """Let go of the line, with the level it has."""
        self._line.deinit()


class Input:
    """The input pin called `name`, with the pull from the board file."""

    def __init__(self, name: str, pin: BoardPin) -> None:
        self._name = name
        self._pin = pin

    @property
    def value(self) -> bool:
        """The level of the line now. Raises PinError, also when somebody else keeps the line to himself."""
        with explained(self._name, self._pin):
            for _ in range(INPUT_TRIES):
                try:
                    return self._look()
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        raise
                    time.sleep(INPUT_PAUSE)
            return self._look()

    def close(self) -> None:
        """Do nothing: the pin is only held during a read."""

    def _look(self) -> bool:
        with _io.DigitalInOut(getattr(_board, self._pin.blinka)) as line:
            line.switch_to_input(pull=PULLS[self._pin.pull])
            return bool(line.value)


@contextmanager
def explained(name: str, pin: BoardPin) -> Generator[None, None, None]:
    """Turn the errors of Blinka and the kernel into a PinError with a remedy."""
    where = f"pin {name!r} (header pin {pin.header}, GPIO {pin.line})"
    try:
        yield
    except PermissionError as error:
        remedy = "add this user to the group gpio: sudo usermod -aG gpio $USER, then log in again"
        raise PinError(f"{where} may not be used", str(error), remedy) from error
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise PinBusyError(f"{where} is busy", "another program holds it", "see which: gpioinfo") from error
        raise PinError(f"{where} cannot be used", error.strerror or str(error)) from error
    except RuntimeError as error:
        raise PinError(
            f"{where} cannot be used", str(error), "check that this is the board it is said to be"
        ) from error
