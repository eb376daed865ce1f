"""The part of libgpiod 2's Python module used by Blinka, for the lines of the simulated hardware.

Each line request is a connection of its own, as it is a file descriptor of its own with the kernel: a line is let go
when its process ends. See https://libgpiod.readthedocs.io for the meaning of the names. Edges are asked for every few
milliseconds, but none is missed: the simulated hardware has them all with their times.
"""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from device.hal.sim.link import Link
from device.hal.sim.stand_ins import gpiod_line as line
from device.hal.sim.stand_ins.gpiod_line import Bias, Direction, Edge, Value
from device.protocol.fields import flag, integer, items, number, table

__version__ = "2.2.2"
CHIP = "/dev/gpiochip0"
LABEL = "pinctrl-bcm2711"
LINES = 58
ASK = 0.005  # seconds between two questions for edges
__all__ = ["Chip", "ChipInfo", "EdgeEvent", "LineRequest", "LineSettings", "line"]


@dataclass
class LineSettings:
    """How a line shall be: "AS_IS" leaves direction or bias alone; an output drives `output_value`."""

    direction: Direction = Direction.AS_IS
    bias: Bias = Bias.AS_IS
    output_value: Value = Value.INACTIVE
    edge_detection: Edge = Edge.NONE


@dataclass(frozen=True)
class EdgeEvent:
    """An edge of a line, and when it came by the monotonic clock."""

    class Type(Enum):
        """The direction of an edge."""

        RISING_EDGE = 1
        FALLING_EDGE = 2

    event_type: Type
    timestamp_ns: int
    line_offset: int


@dataclass(frozen=True)
class ChipInfo:
    """A GPIO controller's account of itself."""

    name: str
    label: str
    num_lines: int


class LineRequest:
    """Lines owned by this process until release()."""

    def __init__(self, link: Link, offsets: list[int]) -> None:
        self._link = link
        self.offsets = offsets
        self._seen = {offset: self._edges(offset, None)[0] for offset in offsets}
        self._waiting: list[EdgeEvent] = []

    def wait_edge_events(self, timeout: float | None = None) -> bool:
        """Whether there are edges to read, at the latest after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._waiting:
            for offset in self.offsets:
                self._seen[offset], edges = self._edges(offset, self._seen[offset])
                self._waiting += edges
            if self._waiting or (end is not None and time.monotonic() >= end):
                break
            time.sleep(ASK)
        return bool(self._waiting)

    def read_edge_events(self) -> list[EdgeEvent]:
        """The edges since the last reading."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def _edges(self, offset: int, after: int | None) -> tuple[int, list[EdgeEvent]]:
        answer = self._link.ask("edges", line=offset, **({} if after is None else {"after": after}))
        kinds = {True: EdgeEvent.Type.RISING_EDGE, False: EdgeEvent.Type.FALLING_EDGE}
        edges = [table(each, "edge") for each in items(answer["edges"], "edges")]
        found = [
            EdgeEvent(kinds[flag(each, "level", "edge")], int(number(each, "at", "edge") * 1e9), offset)
            for each in edges
        ]
        return integer(answer, "count", "edges", 0, 1 << 62), found

    def reconfigure_lines(self, config: Mapping[int, LineSettings | None]) -> None:
        """Change direction, bias and level of lines."""
        for offset, settings in config.items():
            _configure(self._link, offset, settings or LineSettings())

    def set_value(self, line: int, value: Value) -> None:
        """Drive an output."""
        self._link.ask("drive", line=line, value=value is Value.ACTIVE)

    def get_value(self, line: int) -> Value:
        """The level of a line."""
        return Value.ACTIVE if self._link.ask("read", line=line)["value"] else Value.INACTIVE

    def release(self) -> None:
        """Let go of the lines. They are free for others when this returns."""
        try:
            self._link.ask("release")
        finally:
            self._link.close()


class SimulatedChip:
    """The simulated Raspberry Pi's only GPIO controller."""

    def __init__(self, socket: Path, path: str) -> None:
        if path != CHIP:
            raise FileNotFoundError(2, "No such file or directory", path)
        self._socket = socket

    def get_info(self) -> ChipInfo:
        """Name, label and number of lines."""
        return ChipInfo(name="gpiochip0", label=LABEL, num_lines=LINES)

    def request_lines(self, config: Mapping[int, LineSettings | None], consumer: str | None = None) -> LineRequest:
        """Own lines. Raises OSError EBUSY when one of them is owned already. `consumer` is not shown anywhere."""
        link = Link(self._socket)
        try:
            link.ask("request", lines=list(config))
            for offset, settings in config.items():
                _configure(link, offset, settings or LineSettings())
        except BaseException:
            link.close()
            raise
        return LineRequest(link, list(config))

    def close(self) -> None:
        """A simulated chip holds nothing open."""


def _configure(link: Link, offset: int, settings: LineSettings) -> None:
    link.ask(
        "configure",
        line=offset,
        direction=settings.direction.value,
        bias=settings.bias.value,
        value=settings.output_value is Value.ACTIVE,
    )


def _not_installed(path: str) -> SimulatedChip:
    raise RuntimeError(f"cannot open {path}: device.hal.sim.stand_ins.install was not called")


# The name opened by Blinka; install() binds it to the socket of the simulated hardware.
Chip: Callable[[str], SimulatedChip] | functools.partial[SimulatedChip] = _not_installed
