"""The devices on this machine's USB, as Linux' /sys tells: boards, by the numbers in their files, and serial ports.

It only reads /sys and opens no device.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boards import Board

DEVICES = Path("/sys/bus/usb/devices")
SERIAL = Path("/dev/serial/by-id")


@dataclass(frozen=True)
class Plugged:
    """One device: its numbers as lsusb shows them, and its own name for itself."""

    usb: str
    title: str


def plugged(devices: Path = DEVICES) -> Sequence[Plugged]:
    """Every device on USB; empty on a machine without USB."""
    folders = sorted(devices.iterdir()) if devices.is_dir() else []
    told = [(_read(each / "idVendor"), _read(each / "idProduct"), _read(each / "product")) for each in folders]
    return [Plugged(f"{vendor}:{product}", title) for vendor, product, title in told if vendor and product]


def boards_among(devices: Iterable[Plugged], known: Iterable[Board]) -> Sequence[str]:
    """The names of the plugged-in boards; a board plugged in twice is named twice."""
    by_number = {board.machine.usb: board.name for board in known if board.machine.usb}
    return [by_number[each.usb] for each in devices if each.usb in by_number]


def serial_ports(folder: Path = SERIAL) -> Sequence[str]:
    """The serial ports on USB: the place of each, and its own name for itself."""
    links = sorted(folder.iterdir()) if folder.is_dir() else []
    return [f"{each.resolve()} ({each.name})" for each in links]


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
