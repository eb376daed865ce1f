"""The agent's memory at idle, against a bare Python with paho connected to the same broker, and against Node-RED.

Ours is the proportional set size (PSS: what a process has alone, and its share of what it shares) summed over the
launcher and every process below it: the agent, the zygote and the worker of `night-light`, which runs meanwhile. The
reference is the least that could speak MQTT in Python: one interpreter that has imported paho and connected; or
Node-RED with one function node, which is what would run such a function otherwise. Both are
read in turn on the same machine, where the interpreter's own pages are also shared with the shim and the simulated
hardware: a board without them counts a little more on both sides.
"""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

from device.artifact import archive
from tests.bench import home, node_red
from tests.bench.figures import Figure, spread
from tests.bench.home import Broker, RunningHome
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
_BARE, _NODE_RED = "python3 with paho connected", f"Node-RED {node_red.VERSION}, one function node"
# The most that ours may be of it.
NODE_RED_GOAL = 0.35
_MODEL = Path(__file__).parents[2] / "models" / "presence"
_IDLE = "def handler(event, context):\n    return None\n"


def measure(quick: bool) -> list[Figure]:
    """With one function at work and nothing else going on, then with four more that wait, then one with a model."""
    rounds = 1 if quick else 11
    with (
        home.running() as running,
        _bare_client(running.broker) as bare,
        node_red.running(running.broker, "t/in", "t/out") as node,
    ):

        def figure(
            name: str, ours: Callable[[], float], reference: int, told: str, goal: float | None = None
        ) -> Figure:
            pairs = in_turn(ours, lambda: _family(reference), rounds)
            return Figure(f"{name} (PSS)", "MB", spread(pairs[0], 1e-6), spread(pairs[1], 1e-6), told, goal)

        def all_of_it() -> float:
            return _family(running.launcher)

        figures = [
            figure("launcher, agent and night-light at idle", all_of_it, bare, _BARE),
            figure("launcher, agent and night-light at idle", all_of_it, node, _NODE_RED, NODE_RED_GOAL),
            figure("agent alone", lambda: _pss(running.agent), bare, _BARE),
        ]
        for number in range(4):
            _deploy(running, f"idle-{number}", "")
        figures.append(figure("launcher, agent, zygote and 5 functions at idle", all_of_it, bare, _BARE))
        running.wait_committed(running.deploy(archive.pack(_MODEL)))
        _deploy(running, "idle-3", 'models = ["presence"]\n')
        figures.append(figure("the same, one of them with a model", all_of_it, bare, _BARE))
    return figures


def _deploy(running: RunningHome, name: str, more: str) -> None:
    manifest = f'name = "{name}"\nhandler = "main:handler"\n{more}'
    running.wait_committed(running.deploy(home.pack(running.folder / name, manifest, _IDLE)))


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
