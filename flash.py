"""Boards and their cards: `python flash.py --help`. A thin entry; everything is in `flashing/`."""

import sys

try:
    from flashing.cli import run
except ModuleNotFoundError as error:
    sys.exit(f"error: {error.name} is not installed. try: make setup, then .venv/bin/python flash.py")

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
