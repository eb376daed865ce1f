"""docs/boards.md names every board with its facts, and every key; every board has its README."""

from pathlib import Path

import pytest

import boards
from boards import loader
from device.errors import UsageError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "boards.md").read_text()
ARCHITECTURES = {"aarch64": "64-bit ARM", "x86_64": "x86-64"}
TABLES = {
    "": "",
    "machine": "[machine]\n",
    "header": "[header]\n",
    "flash": "[flash]\n",
    "pins": "[pins.a]\n",
    "buses": "[buses.a]\n",
}


@pytest.mark.parametrize("name", boards.names())
def test_the_row_of_a_board_says_what_its_file_says(name: str) -> None:
    board = boards.load(name)
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    memory, wheels, flashed, wiring = [each.strip() for each in row.strip("| ").split("|")][1:]
    assert memory == str(board.machine.memory)
    assert wheels == (ARCHITECTURES[board.machine.architecture] if board.machine.wheels else "-")
    assert flashed == ("a card" if board.flash.method == "card" else "-")
    assert wiring == (f"[picture](wiring/{name.replace('/', '-')}.svg)" if board.header else "no pins")


@pytest.mark.parametrize("name", boards.names())
def test_every_board_has_a_page(name: str) -> None:
    assert (loader.ROOT / name / "README.md").read_text().startswith("# ")


@pytest.mark.parametrize("table", TABLES)
def test_every_key_is_told_of(tmp_path: Path, table: str) -> None:
    file = tmp_path / "maker" / "board" / "board.toml"
    file.parent.mkdir(parents=True)
    machine = "" if table == "machine" else '[machine]\narchitecture = "any"\nmemory = 64\n'
    file.write_text("unknown = 1\n" if not table else f'title = "A"\n{machine}{TABLES[table]}unknown = 1\n')
    with pytest.raises(UsageError, match="known are") as refused:
        loader.load("maker/board", tmp_path)
    known = refused.value.why.split("known are ")[1].split(", ")
    assert [key for key in known if f"`{key}`" not in PAGE and f"`[{key}" not in PAGE] == []
