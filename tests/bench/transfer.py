"""A large artifact from shim to device: time against bare MQTT clients, an untuned broker, and wear of the flash.

Measured on whole running homes. *Fetched* is from the device's FETCHING to its STAGED: every chunk subscribed to,
verified and stored, the artifact verified as a whole, unpacked, synced and verified once more. *Sent* is from the
deploy call until the device's `desired` is on the broker: released, cut, every chunk retained there and acknowledged,
signed. Left out is what lies between: the process that verifies signatures, the same for an artifact of any size.
What the references do, and what they do not, is in carriers.py. The bytes are random and new each time.
"""

import os
import queue
import time
from dataclasses import dataclass
from pathlib import Path

from device.protocol import topics
from tests.bench import carriers, home, mqtt
from tests.bench.figures import Figure, spread
from tests.bench.home import DEVICE, RunningHome

MEBIBYTE = 1 << 20
_PATIENCE = 120.0
# Goals are the most that ours may cost: half of a push's rate is twice its time.
PUSH_GOAL = 2.0
CLIENTS_GOAL = 1.0
UNTUNED_GOAL = 1.25
WEAR_GOAL = 2.2
_MANIFEST = """\
name = "heavy"
handler = "main:handler"
[[triggers]]
type = "start"
"""
_CODE = "def handler(event, context):\n    return None\n"


@dataclass(frozen=True)
class Sample:
    """One deployment: seconds sent and fetched, and bytes that the agent wrote to the disk per byte of the artifact."""

    sent: float
    fetched: float
    wear: float


def measure(quick: bool) -> list[Figure]:
    """With nothing of the artifact on the device beforehand."""
    rounds, size = (1, 1 * MEBIBYTE) if quick else (7, 64 * MEBIBYTE)
    ours, untuned, push, live, retained = [], [], [], [], []
    with home.running(large_messages=True) as running, home.running(tuned=False) as plain:
        for _ in range(rounds):
            data = os.urandom(size)
            ours.append(_ours(running, data))
            push.append(carriers.paho(running.broker, running.folder, data))
            live.append(carriers.live(running.broker, running.folder, data))
            retained.append(carriers.retained(running.broker, running.folder, data))
            untuned.append(_ours(plain, data).fetched)
    name = f"artifact of {size // MEBIBYTE} MiB"
    fetched = [sample.fetched for sample in ours]
    total = [sample.sent + sample.fetched for sample in ours]
    return [
        _time(f"{name}: fetched", fetched, push, "paho to paho, pushed in chunks", PUSH_GOAL),
        _time(f"{name}: fetched", fetched, live, "mosquitto_pub -f to mosquitto_sub, live, one message", CLIENTS_GOAL),
        _time(
            f"{name}: sent and fetched", total, retained, "mosquitto_pub, then mosquitto_sub, one message", CLIENTS_GOAL
        ),
        _time(f"{name}: fetched, untuned broker", untuned, fetched, "our configuration of the broker", UNTUNED_GOAL),
        Figure(
            f"{name}: written to flash",
            "B/B",
            spread([sample.wear for sample in ours]),
            spread([1.0]),
            "the artifact, written once",
            WEAR_GOAL,
        ),
    ]


def _time(name: str, ours: list[float], reference: list[float], against: str, goal: float) -> Figure:
    return Figure(name, "ms", spread(ours, 1e3), spread(reference, 1e3), against, goal)


def _ours(running: RunningHome, data: bytes) -> Sample:
    bundle = home.pack(running.folder / "bundle", _MANIFEST, _CODE, data)
    written = _written(running.agent)
    published: queue.SimpleQueue[float] = queue.SimpleQueue()
    desired = topics.of_device("home", DEVICE, "desired")
    with mqtt.subscribed(running.broker, desired, lambda _: published.put(time.time())):
        published.get(timeout=_PATIENCE)  # the one retained from before
        started = time.time()
        generation = running.deploy(bundle)
        sent = published.get(timeout=_PATIENCE) - started
    fetched = running.moment(generation, "STAGED") - running.moment(generation, "FETCHING")
    running.wait_committed(generation)
    return Sample(sent, fetched, (_written(running.agent) - written) / len(bundle))


def _written(pid: int) -> int:
    """What a process has caused to be written to the disk, see proc(5), /proc/pid/io: not what was removed sooner."""
    lines = (line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    counts = {name: int(count) for name, count in lines}
    return counts["write_bytes"] - counts["cancelled_write_bytes"]
