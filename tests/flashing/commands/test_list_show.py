"""`flash.py list` and `flash.py show`."""

import json
from pathlib import Path

import boards
from tests.flashing.commands.conftest import Run


def test_every_board_is_listed(run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0 and all(name in out for name in boards.names())
    told = json.loads(run("list", "--json")[1])
    assert [each["name"] for each in told["boards"]] == boards.names()


def test_a_board_is_shown_with_its_pins_and_what_it_cannot_do(run: Run) -> None:
    code, out, _ = run("show", "raspberry-pi/zero-2-w")
    assert code == 0 and "header 11, D17, line 17" in out and "connect by cable" in out
    assert json.loads(run("show", "raspberry-pi/zero-2-w", "--json")[1])["machine"]["memory"] == 512


def test_a_board_that_does_not_exist_is_not_found(run: Run) -> None:
    code, out, err = run("show", "acme/toaster")
    assert (code, out) == (3, "") and "raspberry-pi/4b" in err


def test_a_picture_that_cannot_be_written_is_told_of(run: Run, tmp_path: Path) -> None:
    code, _, err = run("show", "raspberry-pi/5", "--svg", tmp_path / "no" / "a.svg")
    assert code == 2 and "cannot be written" in err


def test_a_board_without_pins_has_no_picture(run: Run, tmp_path: Path) -> None:
    code, _, err = run("show", "linux/arm64", "--svg", tmp_path / "a.svg")
    assert code == 3 and "nothing to wire" in err and not (tmp_path / "a.svg").exists()
