"""The pins and sensors of a board as its page shows them, by the board's file and by its report. Pure."""

from dataclasses import dataclass

import boards
from cloud_shim.words import outputs
from device.protocol.reported import Reported, ReportedSensor


@dataclass(frozen=True)
class Part:
    """A pin or a sensor: its name, its place on the board, and its state. `on` is None where the level is unknown."""

    name: str
    place: str
    state: str
    on: bool | None = None
    fault: bool = False


def pins(board: str, report: Reported | None) -> tuple[Part, ...]:
    """The board's pins, those held by functions first; only the held ones where the board has no file here."""
    file = _file(board)
    places = {name: f"pin {pin.header}, GPIO {pin.line}" for name, pin in file.pins.items()} if file else {}
    levels, drivers = outputs.levels(report), outputs.drivers(report)
    tells = report is not None and report.outputs is not None
    idle = "not driven" if tells else "unknown"
    held = [Part(n, places.get(n, ""), f"{outputs.WORDS[on]}, {drivers[n]}", on) for n, on in levels.items()]
    return (*held, *(Part(name, place, idle) for name, place in places.items() if name not in levels))


def sensors(board: str, report: Reported | None) -> tuple[Part, ...]:
    """The board's sensors, by its file and by its own word."""
    file = _file(board)
    places = {n: f"{e.chip} at {e.address:#04x} on {e.bus}" for n, e in file.sensors.items()} if file else {}
    told = report.sensors if report else {}
    return tuple(_sensor(name, places.get(name, ""), told.get(name)) for name in sorted({*places, *told}))


def has_light(board: str, report: Reported | None) -> bool:
    """Whether there is a sensor: every known chip measures light. A board's file knows it best."""
    file = _file(board)
    return bool(file.sensors if file else report and report.sensors)


def _file(board: str) -> boards.Board | None:
    return boards.load(board) if board in boards.names() else None


def _sensor(name: str, place: str, told: ReportedSensor | None) -> Part:
    if told is None:
        return Part(name, place, "unknown")
    return Part(name, place, "answers" if told.ok else told.error, fault=not told.ok)
