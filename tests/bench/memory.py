"""The agent's memory at idle, against a bare Python with paho connected to the same broker.

Ours is the proportional set size (PSS: what a process has alone, and its share of what it shares) summed over the
launcher and every process below it: the agent, the zygote and the worker of `night-light`, which runs meanwhile. The
reference is the least that could speak MQTT in Python: one interpreter that has imported paho and connected. Both are
read in turn on the same machine, where the interpreter's own pages are also shared with the shim and the simulated
hardware: a board without them counts a little more on both sides.
"""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

from tests.bench import home
from tests.bench.figures import Figure, spread
from tests.bench.home import Broker
from tests.bench.sampling import in_turn

_CLIENT = """
import sys
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

host, port, user = sys.argv[1:]
client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bare")
client.username_pw_set(user, sys.stdin.readline().strip())
client.on_connect = lambda *_: print("connected", flush=True)
client.connect(host, int(port))
client.loop_forever()
"""
_IDLE = "def handler(event, context):\n    return None\n"


def measure(quick: bool) -> list[Figure]:
    """With one function at work and nothing else going on, then with four more that wait for calls."""
    rounds = 1 if quick else 11
    with home.running() as running, _bare_client(running.broker) as bare:

        def figure(name: str, pss: Callable[[int], float]) -> Figure:
            ours, reference = in_turn(lambda: pss(running.agent), lambda: _pss(bare), rounds)
            return Figure(
                f"{name} (PSS)", "MB", spread(ours, 1e-6), spread(reference, 1e-6), "python3 with paho connected"
            )

        figures = [figure("agent at idle with night-light", _family), figure("agent alone", _pss)]
        for number in range(4):
            manifest = f'name = "idle-{number}"\nhandler = "main:handler"\n'
            generation = running.deploy(home.pack(running.folder / f"idle-{number}", manifest, _IDLE))
            running.wait_committed(generation)
        return [*figures, figure("agent, zygote and 5 functions at idle", _family)]


@contextlib.contextmanager
def _bare_client(broker: Broker) -> Generator[int, None, None]:
    command = [sys.executable, "-c", _CLIENT, broker.host, str(broker.port), broker.username]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin and child.stdout
    try:
        child.stdin.write(f"{broker.password}\n")
        child.stdin.flush()
        if child.stdout.readline() != "connected\n":
            raise ConnectionError("the bare client could not connect")
        yield child.pid
    finally:
        child.terminate()
        child.communicate()


def _family(pid: int) -> float:
    """The PSS of a process and all its descendants, in bytes."""
    children = (Path("/proc") / str(pid) / "task").glob("*/children")
    return _pss(pid) + sum(_family(int(child)) for file in children for child in file.read_text().split())


def _pss(pid: int) -> float:
    for line in (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} tells no PSS")
