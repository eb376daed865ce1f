"""The pins and sensors of a board as its page shows them: what its file says of them, and what it says itself. Pure."""

from dataclasses import dataclass

import boards
from cloud_shim.words import outputs
from device.protocol.reported import Reported


@dataclass(frozen=True)
class Part:
    """A pin or a sensor: its name, where it is on the board, and how it is. `on` is None where nobody knows."""

    name: str
    place: str
    state: str
    on: bool | None = None
    fault: bool = False


def pins(board: str, report: Reported | None) -> tuple[Part, ...]:
    """The board's pins, those that a function holds first; all that are held where there is no such board file."""
    places = (
        {name: f"pin {pin.header}, GPIO {pin.line}" for name, pin in _file(board).pins.items()} if _known(board) else {}
    )
    levels, drivers = outputs.levels(report), outputs.drivers(report)
    tells = bool(report) and report.outputs is not None
    idle = "no function drives it" if tells else "unknown"
    held = [Part(n, places.get(n, ""), f"{outputs.WORDS[on]}, {drivers[n]}", on) for n, on in levels.items()]
    return (*held, *(Part(name, place, idle) for name, place in places.items() if name not in levels))


def sensors(board: str, report: Reported | None) -> tuple[Part, ...]:
    """The board's sensors, by its file and by its own word."""
    file = _file(board).sensors if _known(board) else {}
    told = report.sensors if report else {}
    found: list[Part] = []
    for name in sorted({*file, *told}):
        place = f"{file[name].chip} at {file[name].address:#04x} on {file[name].bus}" if name in file else ""
        health = told.get(name)
        state = "unknown" if health is None else "answers" if health.ok else health.error
        found.append(Part(name, place, state, fault=health is not None and not health.ok))
    return tuple(found)


def has_light(board: str, report: Reported | None) -> bool:
    """Whether there is a sensor: every chip that is known measures light."""
    return bool(sensors(board, report))


def _known(board: str) -> bool:
    return board in boards.names()


def _file(board: str) -> boards.Board:
    return boards.load(board)
