"""An artifact of several megabytes from shim to device, against mosquitto's own C clients through the same broker.

Ours is the time in which its bytes move, on a whole running home: from the deploy call until the device's `desired`
is on the broker (released, cut, every chunk retained there and acknowledged, signed), and from the device's FETCHING
to its STAGED (every chunk subscribed to, verified and stored durably, the artifact assembled, verified and unpacked).
Left out is what lies between: the process that verifies signatures, the same for an artifact of any size. The
reference does the same two steps with the same bytes: `mosquitto_pub --retain --qos 1 -f FILE` until the broker has
acknowledged it, then `mosquitto_sub -C 1` into a file. It verifies nothing, does not wait for the disk, sends the
file as one message (the broker's limit on that is lifted for it), and pays for the start of two small programs. The
bytes are random and new each time.
"""

import os
import queue
import subprocess
import time
from pathlib import Path

from device.protocol import topics
from tests.bench import home, mqtt
from tests.bench.figures import Figure, spread
from tests.bench.home import DEVICE, Broker, RunningHome
from tests.bench.sampling import in_turn

MEBIBYTE = 1 << 20
_PATIENCE = 120.0
# At least the clients' rate, which is at most their time.
GOAL = 1.0
_MANIFEST = """\
name = "heavy"
handler = "main:handler"
[[triggers]]
type = "start"
"""
_CODE = "def handler(event, context):\n    return None\n"


def measure(quick: bool) -> list[Figure]:
    """With nothing of the artifact on the device beforehand."""
    rounds, size = (1, 1 * MEBIBYTE) if quick else (7, 8 * MEBIBYTE)
    with home.running(large_messages=True) as running:
        ours, reference = in_turn(
            lambda: _ours(running, os.urandom(size)),
            lambda: _clients(running.broker, running.folder, os.urandom(size)),
            rounds,
        )
    return [
        Figure(
            f"artifact of {size // MEBIBYTE} MiB to the device",
            "ms",
            spread(ours, 1e3),
            spread(reference, 1e3),
            "mosquitto_pub, then mosquitto_sub, of one message",
            GOAL,
        )
    ]


def _ours(running: RunningHome, data: bytes) -> float:
    bundle = home.pack(running.folder / "bundle", _MANIFEST, _CODE, data)
    published: queue.SimpleQueue[float] = queue.SimpleQueue()
    desired = topics.of_device("home", DEVICE, "desired")
    with mqtt.subscribed(running.broker, desired, lambda _: published.put(time.time())):
        published.get(timeout=_PATIENCE)  # the one retained from before
        started = time.time()
        generation = running.deploy(bundle)
        seeded = published.get(timeout=_PATIENCE)
    fetched = running.moment(generation, "STAGED") - running.moment(generation, "FETCHING")
    running.wait_committed(generation)
    return seeded - started + fetched


def _clients(broker: Broker, folder: Path, data: bytes) -> float:
    source, target = folder / "artifact", folder / "received"
    source.write_bytes(data)
    topic = topics.of_device("home", "nobody", "ack")
    options = ["-h", broker.host, "-p", str(broker.port), "-u", broker.username, "-P", broker.password, "-t", topic]
    started = time.perf_counter()
    subprocess.run(["mosquitto_pub", *options, "--retain", "--qos", "1", "-f", str(source)], check=True)
    with target.open("wb") as file:
        subprocess.run(["mosquitto_sub", *options, "-C", "1", "-N"], stdout=file, check=True)
    took = time.perf_counter() - started
    if target.read_bytes() != data:
        raise ValueError("mosquitto's clients did not bring the file whole")
    subprocess.run(["mosquitto_pub", *options, "--retain", "--null-message"], check=True)
    return took
