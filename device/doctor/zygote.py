"""Whether a worker can be started: a zygote is started, forks one, and both are ended again."""

import os
from pathlib import Path

from boards import Board
from device.doctor.check import Finding, ok
from device.hal.hardware import Hardware
from device.runtime.workers.zygotes import Zygotes

# Seconds; importing Blinka from a slow card takes many.
PATIENCE = 90.0


def starts(board: Board, simulation: Path | None) -> Finding:
    """Start a worker without a task. ForkError when the start fails."""
    zygotes = Zygotes(Hardware(board, simulation))
    try:
        fork = zygotes.fork(infers=False)
        fork.kill()
        fork.channel.close()
        os.close(fork.log)
        return ok("a worker can be started")
    finally:
        zygotes.close()
