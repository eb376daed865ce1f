"""`flash.py show BOARD`: describes a board, and draws its wiring."""

from dataclasses import asdict
from pathlib import Path

import click

import boards
from boards import Board
from cloud_shim.cli.options import Options, command
from device.errors import UsageError
from flashing import wiring


@command("show")
@click.argument("board")
@click.option("--svg", metavar="FILE", type=click.Path(path_type=Path), help="Draw its wiring into FILE.")
def run(options: Options, board: str, svg: Path | None) -> None:
    """Show BOARD: its hardware, its pins and sensors, and its limits."""
    found = boards.load(board)
    if svg is not None:
        _write(svg, wiring.drawn(found))
        options.terminal.say(f"Drew {svg}")
        return
    options.terminal.table(asdict(found), _rows(found))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written", error.strerror or str(error)) from None


def _rows(board: Board) -> list[list[str]]:
    machine = board.machine
    rows = [
        ["board", board.name],
        ["is", board.title],
        ["architecture", machine.architecture],
        ["memory", f"{machine.memory} MiB at least"],
        ["wheels", machine.wheels or "none"],
        ["its own LED", machine.led or "none"],
        ["flashed", "with a card: `flash.py image`" if board.flash.method == "card" else "not: see its README.md"],
    ]
    rows += [[f"pin {n}", f"header {p.header}, {p.blinka}, line {p.line}"] for n, p in board.pins.items()]
    rows += [[f"bus {n}", f"SDA on header {b.sda}, SCL on {b.scl}"] for n, b in board.buses.items()]
    rows += [[f"sensor {n}", f"{s.chip} on {s.bus}, 0x{s.address:02x}"] for n, s in board.sensors.items()]
    return rows + [["cannot", each] for each in board.cannot]
