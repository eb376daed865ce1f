"""Boards and their cards: `python flash.py --help`. A thin entry; everything is in `flashing/`."""

import sys

from flashing.cli import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
