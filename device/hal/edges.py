"""Edges of an input pin, as the kernel reports them, through libgpiod. Importing this imports Blinka: see hardware.py.

Blinka knows no edges, but finds the line: its Pin names the line's controller. The line is held as long as edges are
wanted, so nobody else can read the pin meanwhile. It reports every edge; debouncing is the trigger's.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import board  # pyright: ignore[reportMissingTypeStubs]
import digitalio  # pyright: ignore[reportMissingTypeStubs]

from boards import BoardPin
from device.hal.pins import explained

_board: Any = board
_io: Any = digitalio
_CONSUMER = "lamplight"


@dataclass(frozen=True)
class Edge:
    """The level after an edge, and when it came, in seconds of `time.monotonic()`."""

    level: bool
    at: float


class Edges:
    """The input pin called `name`, with its edges; `pull` is "up", "down" or "". Raises PinError."""

    def __init__(self, name: str, pin: BoardPin, pull: str) -> None:
        self._name = name
        self._pin = pin
        # By name, for in simulation a stand-in has taken the place of the package.
        gpiod: Any = importlib.import_module("gpiod")
        bias = {"": "DISABLED", "up": "PULL_UP", "down": "PULL_DOWN"}[pull]
        settings = gpiod.LineSettings(
            direction=gpiod.line.Direction.INPUT,
            edge_detection=gpiod.line.Edge.BOTH,
            bias=getattr(gpiod.line.Bias, bias),
        )
        self._rising = gpiod.EdgeEvent.Type.RISING_EDGE
        with explained(name, pin):
            found = _io.Pin(getattr(_board, pin.blinka).id)
            found._ensure_chip()
            self._number = int(found._num)
            self._chip: Any = found._chip
            self._request: Any = self._chip.request_lines(config={self._number: settings}, consumer=_CONSUMER)
        self._found = found

    @property
    def level(self) -> bool:
        """The level now. Raises PinError."""
        with explained(self._name, self._pin):
            return bool(self._request.get_value(self._number).value)

    def wait(self, timeout: float) -> list[Edge]:
        """The edges since the last call, oldest first; empty after `timeout` seconds of silence."""
        with explained(self._name, self._pin):
            if not self._request.wait_edge_events(timeout):
                return []
            return [
                Edge(event.event_type is self._rising, event.timestamp_ns / 1e9)
                for event in self._request.read_edge_events()
            ]

    def close(self) -> None:
        """Let go of the line."""
        self._request.release()
        self._found.deinit()
