"""The program `flash.py`: its list of commands. Options, output and exit codes are those of `lamplight`.

To add a command, write commands/<name>.py with a `run` in it and a line in COMMANDS.
"""

from collections.abc import Sequence

from cloud_shim.cli import main as cli
from cloud_shim.cli.options import common_options

COMMANDS = {
    "list": "List the boards there are.",
    "show": "Show a board, or draw its wiring.",
    "image": "Make a card image for one device.",
    "write": "Write an image to a card.",
    "ssh": "Install on a running machine over SSH, or upgrade it.",
    "local": "Install on this machine, or upgrade it.",
    "remove": "Take the agent off a machine again.",
    "doctor": "Find card readers, boards on USB, and tools that are missing.",
}

flash = cli.Commands(
    COMMANDS,
    "flashing.commands",
    "flash.py",
    params=common_options(),
    help="From a blank card to a board of the fleet.",
)


def run(arguments: Sequence[str], name: str = "flash.py") -> int:
    """Run one command line of the program, started by this name; gives the exit code."""
    flash.name = name
    return cli.run(arguments, flash)
