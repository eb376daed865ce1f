"""`python -m tests.device.update.victim FOLDER`: a board that installs one generation after the other until killed."""

import json
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

from tests.device.update.harness import Device

# A generation that was killed in its trial again and again is reverted.
FINAL = ("COMMITTED", "REVERTED")


def main(folder):
    """Boot what is in FOLDER/device, then deploy the documents that follow; tells what it boots on standard output."""
    broker, documents = pickle.loads((folder / "cloud.pickle").read_bytes())
    device = Device(folder / "device", SimpleNamespace(broker=broker, roots=folder / "cloud" / "roots"))
    print("ready", flush=True)
    generation = device.boot()
    code = {name: each.path.joinpath("main.py").read_text() for name, each in generation.functions.items()}
    print(json.dumps([generation.number, code]), flush=True)
    for number in range(generation.number + 1, len(documents) + 1):
        device.engine.desired(documents[number - 1])
        device.wait(lambda status, number=number: status.update == number and status.state in FINAL)
    device.engine.stop()
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
