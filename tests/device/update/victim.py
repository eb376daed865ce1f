"""`python -m tests.device.update.victim FOLDER`: a board that installs one generation after the other until killed.

… FOLDER GENERATION STATE    as soon as GENERATION gets into STATE it kills itself
… FOLDER GENERATION BACK     GENERATION does not run; it kills itself while it goes back to the one before
"""

import json
import os
import pickle
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

from device.errors import LamplightError
from device.update import slots
from tests.device.harness import Device

# A generation that was killed in its trial again and again is reverted.
FINAL = ("COMMITTED", "REVERTED")


class Deadly(list):
    """The events of a board; that of `generation` getting into `state` is its last."""

    def __init__(self, generation, state):
        super().__init__()
        self._last = (generation, state)

    def append(self, event):
        if (event.update, event.state) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        super().append(event)


def doom(device, generation, state):
    """Arrange for the board to kill itself."""
    device.events = Deadly(generation, state)
    if state == "BACK":
        switch = device.runner.switch

        def fail_then_die(target):
            if target.number == generation:
                raise LamplightError("the bus is busy")
            if device.states() and device.states()[-1] == (generation, "STAGED"):
                os.kill(os.getpid(), signal.SIGKILL)
            switch(target)

        device.runner.switch = device.runner.resume = fail_then_die


def main(folder, *end):
    """Boot what is in FOLDER/device, then deploy the documents that follow; tells what it boots on standard output."""
    broker, documents = pickle.loads((folder / "cloud.pickle").read_bytes())
    device = Device(folder / "device", SimpleNamespace(broker=broker, roots=folder / "cloud" / "roots"))
    if end:
        doom(device, int(end[0]), end[1])
    print("ready", flush=True)
    generation = device.boot()
    code = {name: each.path.joinpath("main.py").read_text() for name, each in generation.functions.items()}
    print(json.dumps([generation.number, code]), flush=True)
    newest = max(1, slots.load(folder / "device" / "slots.json").floor)
    for number in range(newest, len(documents) + 1):
        device.engine.desired(documents[number - 1])
        device.wait(lambda status, number=number: status.update == number and status.state in FINAL)
    device.wait(lambda _: not device.litter())
    device.engine.stop()
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
