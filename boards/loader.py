"""Read a board file and check it: a wrong key is named, a misspelt one is refused.

The chips' drivers are known to `device.hal.sensors` alone.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boards.machine import Flash, Header, HeaderPin, Machine, flash, header, header_pin, machine, texts
from device.errors import NotFoundError, UsageError
from device.protocol.errors import ProtocolError
from device.protocol.fields import flag, integer, is_name, name, only, table, text

ROOT = Path(__file__).parent
FILE = "board.toml"
PULLS = ("", "up", "down")
LAST_LINE = 1023
LAST_BUS = 255
# I2C reserves the seven-bit addresses below 0x08 and above 0x77 (NXP UM10204, 3.1.12).
FIRST_ADDRESS, LAST_ADDRESS = 0x08, 0x77


@dataclass(frozen=True)
class BoardPin:
    """A pin: its name in Blinka's `board` module, its place on the header, and its GPIO line or Blinka's number of it.

    `pull` is the resistor needed by an input for the part wired to it: "up", "down", or "" for none.
    """

    blinka: str
    header: HeaderPin
    line: int
    pull: str


@dataclass(frozen=True)
class Bus:
    """An I2C bus: its function in Blinka's `board` module, Linux' number of it, and the header pins of its wires."""

    blinka: str
    number: int
    sda: HeaderPin
    scl: HeaderPin


@dataclass(frozen=True)
class BoardSensor:
    """A sensor: its chip, the name of the bus it is on, and its seven-bit address there."""

    chip: str
    bus: str
    address: int


@dataclass(frozen=True)
class Board:
    """A kind of device. `simulated` boards have no hardware of their own: a process plays it.

    `cannot` lists its limits, each in words that go on after "it cannot". `header` is None for a board without wiring.
    """

    name: str
    title: str
    simulated: bool
    cannot: Sequence[str]
    machine: Machine
    header: Header | None
    flash: Flash
    pins: Mapping[str, BoardPin]
    buses: Mapping[str, Bus]
    sensors: Mapping[str, BoardSensor]


def names(root: Path = ROOT) -> list[str]:
    """The boards there are, as `<vendor>/<board>`, sorted."""
    return sorted(path.parent.relative_to(root).as_posix() for path in root.glob(f"*/*/{FILE}"))


def load(name: str, root: Path = ROOT) -> Board:
    """The board called `name`, such as "raspberry-pi/4b".

    Raises NotFoundError for an unknown name, listing the known ones, and UsageError when its file is wrong.
    """
    parts = name.split("/")
    path = root.joinpath(*parts, FILE)
    if len(parts) != 2 or not all(is_name(part) for part in parts) or not path.is_file():
        known = ", ".join(names(root)) or "none"
        raise NotFoundError(f"there is no board {name!r}", f"known boards: {known}", "choose one of them")
    try:
        return _board(name, tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ProtocolError) as error:
        raise UsageError(f"the board file {path} is wrong", str(error), "correct the file") from error


def _board(board: str, fields: dict[str, object]) -> Board:
    only(fields, ("title", "simulated", "cannot", "machine", "header", "flash", "pins", "buses", "sensors"), FILE)
    buses = {n: _bus(b, f"{FILE}.buses.{n}") for n, b in _named(fields, "buses").items()}
    pins = {n: _pin(p, f"{FILE}.pins.{n}") for n, p in _named(fields, "pins").items()}
    _refuse_shared("line", {n: p.line for n, p in pins.items()})
    _refuse_shared("header", {n: p.header for n, p in pins.items()})
    connector = _header(fields, bool(pins or buses))
    if connector is not None:
        _check_places(connector, pins, buses)
    return Board(
        name=board,
        title=_title(fields),
        simulated=flag(fields, "simulated", FILE, False),
        cannot=texts(fields, "cannot", FILE),
        machine=machine(table(fields.get("machine"), f"{FILE}.machine"), f"{FILE}.machine"),
        header=connector,
        flash=flash(table(fields.get("flash", {"method": "none"}), f"{FILE}.flash"), f"{FILE}.flash"),
        pins=pins,
        buses=buses,
        sensors={n: _sensor(s, f"{FILE}.sensors.{n}", buses) for n, s in _named(fields, "sensors").items()},
    )


def _header(fields: dict[str, object], wired: bool) -> Header | None:
    if "header" not in fields and not wired:
        return None
    where = f"{FILE}.header"
    return header(table(fields.get("header"), where), where)


def _title(fields: dict[str, object]) -> str:
    title = text(fields, "title", FILE)
    if not title.strip():
        raise ProtocolError(f"{FILE}.title: it is empty")
    return title


def _check_places(connector: Header, pins: Mapping[str, BoardPin], buses: Mapping[str, Bus]) -> None:
    """A header with counted pins has only these places."""
    places: dict[str, HeaderPin] = {"header.power": connector.power, "header.ground": connector.ground}
    places |= {f"pins.{each}.header": pin.header for each, pin in pins.items()}
    for each, bus in buses.items():
        places |= {f"buses.{each}.sda": bus.sda, f"buses.{each}.scl": bus.scl}
    for where, place in places.items():
        if connector.pins and not (isinstance(place, int) and place <= connector.pins):
            raise ProtocolError(f"{FILE}.{where}: {place!r} is none of the header's pins, 1 to {connector.pins}")


def _named(fields: dict[str, object], key: str) -> dict[str, object]:
    where = f"{FILE}.{key}"
    return {name(n, where): value for n, value in table(fields.get(key, {}), where).items()}


def _pin(value: object, where: str) -> BoardPin:
    fields = table(value, where)
    only(fields, ("blinka", "header", "line", "pull"), where)
    pull = text(fields, "pull", where, "")
    if pull not in PULLS:
        raise ProtocolError(f"{where}.pull: {pull!r} is neither 'up' nor 'down'")
    return BoardPin(
        blinka=_identifier(fields, where),
        header=header_pin(fields, "header", where),
        line=integer(fields, "line", where, 0, LAST_LINE),
        pull=pull,
    )


def _bus(value: object, where: str) -> Bus:
    fields = table(value, where)
    only(fields, ("blinka", "number", "sda", "scl"), where)
    return Bus(
        blinka=_identifier(fields, where),
        number=integer(fields, "number", where, 0, LAST_BUS),
        sda=header_pin(fields, "sda", where),
        scl=header_pin(fields, "scl", where),
    )


def _sensor(value: object, where: str, buses: Mapping[str, Bus]) -> BoardSensor:
    fields = table(value, where)
    only(fields, ("chip", "bus", "address"), where)
    bus = text(fields, "bus", where)
    if bus not in buses:
        raise ProtocolError(f"{where}.bus: there is no bus {bus!r}; the board has {', '.join(buses) or 'none'}")
    address = integer(fields, "address", where, FIRST_ADDRESS, LAST_ADDRESS)
    return BoardSensor(chip=name(fields.get("chip"), f"{where}.chip"), bus=bus, address=address)


def _identifier(fields: dict[str, object], where: str) -> str:
    value = text(fields, "blinka", where)
    if not value.isidentifier():
        raise ProtocolError(f"{where}.blinka: {value!r} is not a name in Blinka's board module, such as 'D17'")
    return value


def _refuse_shared(key: str, numbers: Mapping[str, HeaderPin]) -> None:
    holders: dict[HeaderPin, str] = {}
    for pin, number in numbers.items():
        if number in holders:
            raise ProtocolError(f"{FILE}.pins.{pin}.{key}: {number} is already that of {holders[number]!r}")
        holders[number] = pin
