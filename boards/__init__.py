"""Boards as data: `boards/<vendor>/<board>/board.toml`, and the loader that checks it.

A board file maps the logical names (`led`, `light`) to pins, buses and sensors, so that one function runs on every
board. Opening hardware is `device.hal`'s. A folder with a hyphen in its name holds data only and is never imported.
"""

from .loader import Board, BoardPin, BoardSensor, Bus, load, names
from .machine import Flash, Header, HeaderPin, Machine

__all__ = [
    "Board",
    "BoardPin",
    "BoardSensor",
    "Bus",
    "Flash",
    "Header",
    "HeaderPin",
    "Machine",
    "load",
    "names",
]
