"""What is plugged in, from a folder such as /sys has it."""

from pathlib import Path

import boards
from flashing import usb

KNOWN = [boards.load(each) for each in boards.names()]


def device(folder: Path, place: str, vendor: str, product: str, title: str = "") -> None:
    (folder / place).mkdir(parents=True)
    (folder / place / "idVendor").write_text(vendor + "\n")
    (folder / place / "idProduct").write_text(product + "\n")
    if title:
        (folder / place / "product").write_text(title + "\n")


def test_adapters_are_known_by_their_numbers_and_other_devices_are_not(tmp_path: Path) -> None:
    device(tmp_path, "1-1", "04d8", "00dd", "MCP2221 USB-I2C/UART Combo")
    device(tmp_path, "1-2", "0403", "6014")
    device(tmp_path, "1-3", "046d", "c31c", "Keyboard")
    (tmp_path / "1-0:1.0").mkdir()
    assert usb.boards_among(usb.plugged(tmp_path), KNOWN) == ["microchip/mcp2221", "ftdi/ft232h"]


def test_two_alike_are_two(tmp_path: Path) -> None:
    for place in ("1-1", "1-2"):
        device(tmp_path, place, "04d8", "00dd")
    assert usb.boards_among(usb.plugged(tmp_path), KNOWN) == ["microchip/mcp2221"] * 2


def test_a_machine_without_usb_has_none(tmp_path: Path) -> None:
    assert usb.plugged(tmp_path / "nothing") == [] and usb.serial_ports(tmp_path / "nothing") == []


def test_serial_ports_are_named_with_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "ttyACM0").touch()
    (tmp_path / "by-id").mkdir()
    (tmp_path / "by-id" / "usb-MicroPython_Board-if00").symlink_to(tmp_path / "ttyACM0")
    assert usb.serial_ports(tmp_path / "by-id") == [f"{tmp_path}/ttyACM0 (usb-MicroPython_Board-if00)"]
