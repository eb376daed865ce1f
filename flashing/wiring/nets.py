"""The connections: the parts beside a board, and the wires from its header. Places and colours come later."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from boards import Board, BoardPin, Header, HeaderPin
from device.errors import NotFoundError


@dataclass(frozen=True)
class Part:
    """A part with its terminals, in drawing order. `note` is a line below it, or ""."""

    kind: str
    title: str
    terminals: Sequence[str]
    note: str = ""


@dataclass(frozen=True)
class Net:
    """A wire from a pin of the header to terminals: each is (number of the part, number of the terminal)."""

    kind: str
    label: str
    pin: HeaderPin
    ends: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Wiring:
    """A header, the parts, and the nets between them."""

    header: Header
    parts: Sequence[Part]
    nets: Sequence[Net]


def of(board: Board) -> Wiring:
    """The wiring of `board`; NotFoundError for one without a header."""
    if board.header is None:
        raise NotFoundError(f"{board.name} has nothing to wire", "it has no pins", "`flash.py list` shows which have")
    parts = [*_sensors(board), *(_pin_part(name, pin) for name, pin in board.pins.items())]
    return Wiring(board.header, parts, [*_supply(board.header, parts), *_buses(board), *_lines(board)])


def _sensors(board: Board) -> Iterator[Part]:
    for sensor in board.sensors.values():
        title = f"{sensor.chip.upper()} at 0x{sensor.address:02x}"
        yield Part("sensor", title, ("3.3 V", "GND", "SDA", "SCL"))


def _pin_part(name: str, pin: BoardPin) -> Part:
    if name == "led":
        return Part("led", "LED, 330 Ω", ("+", "GND"), "long leg to the resistor")
    note = "" if pin.pull == "up" else "and 10 kΩ from its pin to 3.3 V"
    return Part("button", "Button", ("1", "GND"), note)


def _supply(header: Header, parts: Sequence[Part]) -> Iterator[Net]:
    for kind, label, pin in (("power", "3.3 V", header.power), ("ground", "GND", header.ground)):
        ends = [(n, part.terminals.index(label)) for n, part in enumerate(parts) if label in part.terminals]
        if ends:
            yield Net(kind, label, pin, ends)


def _buses(board: Board) -> Iterator[Net]:
    sensors = list(board.sensors.values())
    for name, bus in board.buses.items():
        on = [number for number, sensor in enumerate(sensors) if sensor.bus == name]
        if on:
            yield Net("sda", "SDA", bus.sda, [(number, 2) for number in on])
            yield Net("scl", "SCL", bus.scl, [(number, 3) for number in on])


def _lines(board: Board) -> Iterator[Net]:
    for number, (name, pin) in enumerate(board.pins.items(), start=len(board.sensors)):
        yield Net("led" if name == "led" else "button", pin.blinka, pin.header, [(number, 0)])
