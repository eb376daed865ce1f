"""The power is cut at random moments of deployments and boots; the board returns each time by itself.

`make board-soak` runs it; CUTS says how often (30), SEED repeats a run. Every third cut is followed by a whole return:
the board is online, carries out what it was asked for last, and its lamp follows the light. The others are cut again
while the board starts, for a board whose power flickers is cut most in its boot.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.board.board import NAME, PATIENCE, Board
from tests.board.test_virtual_board import DARK, edit, follows_the_light
from tests.support import until

pytestmark = pytest.mark.board

CUTS = int(os.environ.get("CUTS", "30"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
_RETURNS = 3
# Seconds; a deployment of the bundle below takes about so long on an emulated board, and so does a boot.
_DEPLOYMENT, _BOOT = 40.0, 90.0


def test_it_always_returns(board: Board, night_light: Path) -> None:
    choice = random.Random(SEED)
    print(f"SEED={SEED} CUTS={CUTS}")
    inverted = False
    for cut in range(1, CUTS + 1):
        if cut % _RETURNS == 1:
            inverted = not inverted
            asked = ask(board, night_light, inverted, choice)
            wait = choice.uniform(0, _DEPLOYMENT)
        else:
            wait = choice.uniform(0, _BOOT)
        # A moment is what this test is about: nothing is waited for.
        time.sleep(wait)
        board.emulator.power_off()
        print(f"cut {cut} after {wait:.1f} s", flush=True)
        board.power_on()
        if cut % _RETURNS == 0 or cut == CUTS:
            began = time.monotonic()
            returns(board, asked, inverted)
            print(f"returned after {time.monotonic() - began:.0f} s", flush=True)


def ask(board: Board, folder: Path, inverted: bool, choice: random.Random) -> int:
    """Deploy the function the other way round, with enough beside it to be a while on its way; the generation."""
    edit(folder / "main.py", *(("<", ">=") if inverted else (">=", "<")))
    (folder / "weights.bin").write_bytes(choice.randbytes(2_000_000))
    board.home.run("deploy", str(folder), "--device", NAME, "--no-wait", "--trial-seconds", "10")
    return int(board.home.device(NAME)["desired"]["generation"])


def returns(board: Board, generation: int, inverted: bool) -> None:
    """The board is there again, with what it was asked for, and obeys."""
    board.sensor.lux = DARK

    def runs_it() -> bool:
        # The shim still takes it for online until the broker has missed its keepalive: its start is what tells.
        reported = board.home.device(NAME)["reported"]
        return reported["generation"] == generation and reported["update"]["state"] in ("COMMITTED", "IDLE")

    until(runs_it, f"generation {generation} runs for good", PATIENCE)
    board.led_becomes(not inverted)
    follows_the_light(board, inverted)
    assert board.emulator.shell.run("systemctl is-active lamplight.service") == "active"
    assert board.emulator.shell.run("systemctl --failed --no-legend --plain | cut -d' ' -f1") == ""
