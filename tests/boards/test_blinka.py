"""The names in the board files are those of the installed Blinka, read from its sources."""

import ast
import importlib.util
import json
from importlib import metadata
from pathlib import Path

import pytest
from adafruit_platformdetect.constants import boards as detected

import boards
from boards import Board

BLINKA = {str(path): Path(str(path.locate())) for path in metadata.files("Adafruit-Blinka") or []}
IMPORTS = next(path for name, path in BLINKA.items() if name.endswith("board_imports.json"))
# Groups of boards that share one module, by Blinka's name of the group.
GROUPS = {
    "any_raspberry_pi_5_board": detected._RASPBERRY_PI_5_IDS,
    "any_raspberry_pi_4_board": detected._RASPBERRY_PI_4_IDS,
    "any_raspberry_pi_40_pin": detected._RASPBERRY_PI_40_PIN_IDS,
}
WITH_PINS = [each for each in map(boards.load, boards.names()) if each.pins]


def module_of(board: Board) -> str:
    """The module that Blinka takes the pins of this board from, as its own `board.py` chooses it."""
    for key, module in json.loads(IMPORTS.read_text()).items():
        if key in GROUPS and getattr(detected, board.machine.detect) in GROUPS[key]:
            return module
        if key == board.machine.detect:
            return module
    raise AssertionError(f"Blinka knows no board {board.machine.detect}")


def assignments(module: str) -> dict[str, str]:
    """The names that a module's source gives a value, with that value's source, without running it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    found: dict[str, str] = {}
    for node in ast.parse(Path(spec.origin).read_text()).body:
        if isinstance(node, ast.Assign):
            found |= {t.id: ast.unparse(node.value) for t in node.targets if isinstance(t, ast.Name)}
    return found


@pytest.mark.parametrize("board", WITH_PINS, ids=lambda b: b.name)
def test_every_pin_and_bus_of_a_board_is_one_that_blinka_has_for_it(board: Board) -> None:
    known = assignments(module_of(board))
    assert [pin.blinka for pin in board.pins.values() if pin.blinka not in known] == []
    # Blinka's own board.py makes I2C() for every board with these two.
    assert {"SDA", "SCL"} <= set(known)
    assert {bus.blinka for bus in board.buses.values()} == {"I2C"}


@pytest.mark.parametrize("board", [b for b in WITH_PINS if b.name.startswith("raspberry-pi/")], ids=lambda b: b.name)
def test_the_line_of_a_raspberry_pis_pin_is_the_number_in_blinkas_name(board: Board) -> None:
    assert {pin.blinka: f"D{pin.line}" for pin in board.pins.values()} == {
        pin.blinka: pin.blinka for pin in board.pins.values()
    }


def test_the_number_of_a_usb_adapters_pin_is_blinkas() -> None:
    for name, module in (("microchip/mcp2221", "mcp2221.pin"), ("ftdi/ft232h", "ftdi_mpsse.ft232h.pin")):
        known = assignments(f"adafruit_blinka.microcontroller.{module}")
        assert {p.blinka: known[p.blinka] for p in boards.load(name).pins.values()} == {
            p.blinka: f"Pin({p.line})" for p in boards.load(name).pins.values()
        }


def test_the_lines_of_the_beaglebone_are_those_that_blinka_notes_beside_its_pins() -> None:
    spec = importlib.util.find_spec("adafruit_blinka.microcontroller.am335x.pin")
    assert spec is not None and spec.origin is not None
    lines = Path(spec.origin).read_text().splitlines()
    for pin in boards.load("beagleboard/beaglebone-black").pins.values():
        (noted,) = [line for line in lines if line.startswith(f'{pin.blinka} = Pin("{pin.blinka}")')]
        assert noted.endswith(f"GPIO_{pin.line}") and pin.blinka == f"P9_{pin.header}"


def test_a_board_that_is_chosen_by_a_variable_is_one_that_platformdetect_looks_for() -> None:
    spec = importlib.util.find_spec("adafruit_platformdetect.chip")
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).read_text()
    chosen = [each.machine.select for each in WITH_PINS if each.machine.select]
    assert chosen and all(f'os.environ.get("{each}")' in source for each in chosen)
