"""`flash.py list`: every board in a table."""

import boards
from boards import Board
from cloud_shim.cli.options import Options, command

HEADINGS = ("BOARD", "ARCHITECTURE", "MEMORY", "FLASHED", "PINS", "SENSORS")


@command("list")
def run(options: Options) -> None:
    """List the boards there are."""
    known = [boards.load(each) for each in boards.names()]
    told = [{"name": each.name, "title": each.title, "architecture": each.machine.architecture} for each in known]
    options.terminal.table({"boards": told}, [_row(each) for each in known], HEADINGS)


def _row(board: Board) -> list[str]:
    return [
        board.name,
        board.machine.architecture,
        f"{board.machine.memory} MiB",
        board.flash.method if board.flash.method != "none" else "-",
        ", ".join(board.pins) or "-",
        ", ".join(board.sensors) or "-",
    ]
