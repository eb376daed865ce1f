"""The wiring's picture: made from the data, as the committed ones are; no text of a board file becomes markup."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import pytest

import boards
from boards import BoardPin
from device.errors import NotFoundError
from flashing import wiring
from flashing.wiring import layout, nets

ROOT = Path(__file__).parents[2]
WIRED = [each for each in map(boards.load, boards.names()) if each.header]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("board", WIRED, ids=lambda b: b.name)
def test_the_committed_picture_is_the_one_that_the_data_give(board: boards.Board) -> None:
    path = ROOT / "docs" / "wiring" / f"{board.name.replace('/', '-')}.svg"
    assert path.read_text("utf-8") == wiring.drawn(board), f"python flash.py show {board.name} --svg {path}"


@pytest.mark.parametrize("board", WIRED, ids=lambda b: b.name)
def test_each_wire_ends_at_the_terminals_of_its_net_and_no_two_lie_on_each_other(board: boards.Board) -> None:
    placed = layout.place(nets.of(board))
    assert len({wire.lane for wire in placed.wires}) == len(placed.wires)
    starts = sorted(wire.start_y for wire in placed.wires)
    assert all(b - a >= layout.ROW / 2 for a, b in pairwise(starts))
    for one, other in combinations(placed.wires, 2):
        assert not set(one.ends) & set(other.ends)


@pytest.mark.parametrize("board", WIRED, ids=lambda b: b.name)
def test_everything_that_is_wired_is_named_in_the_picture(board: boards.Board) -> None:
    root = ET.fromstring(wiring.drawn(board))
    texts = {each.text for each in root.iter(f"{SVG}text")}
    assert {"SDA", "SCL", "GND", "3.3 V"} <= texts
    for pin in board.pins.values():
        assert any(str(pin.header) in (text or "") and pin.blinka in (text or "") for text in texts)


def test_a_title_cannot_bring_markup_into_the_picture() -> None:
    board = replace(boards.load("raspberry-pi/4b"), title='"><script>alert(1)</script>')
    root = ET.fromstring(wiring.drawn(board))
    assert list(root.iter(f"{SVG}script")) == []


def test_a_board_without_pins_has_no_wiring() -> None:
    with pytest.raises(NotFoundError, match="nothing to wire"):
        wiring.drawn(boards.load("linux/x86-64"))


def test_a_board_with_a_wire_on_every_pin_is_drawn_in_good_time() -> None:
    """All orders of 30 wires are 10^32."""
    board = boards.load("raspberry-pi/4b")
    pins = {f"pin-{n}": BoardPin(f"D{n}", 10 + n, 100 + n, "") for n in range(1, 31)}
    drawn = layout.place(nets.of(replace(board, pins=pins)))
    assert len({wire.lane for wire in drawn.wires}) == len(drawn.wires) > 30
