"""MQTT in → function → MQTT out, against a bare paho client that echoes, and against Node-RED's function node.

All three take a message from one topic and publish its data on another, at QoS 1, through the same broker and for the
same client, which measures from its publish until the answer is there. Ours goes broker → agent → confined worker
process → agent → broker; the bare client and Node-RED handle it in the process that is connected. *Pipelined* keeps
many messages on their way and takes the time for each. Node-RED is there twice, as it comes and without Nagle's
algorithm (node_red.py).
"""

import contextlib
import json
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Generator

from device.protocol import topics
from tests.bench import home, mqtt, node_red
from tests.bench.figures import Figure, spread
from tests.bench.home import Broker, RunningHome
from tests.bench.sampling import processors

ECHO_GOAL = 1.25
NODE_RED_GOAL = 1.15
# At least 0.45 of the bare client's messages a second.
PIPELINED_GOAL = 1 / 0.45
_PATIENCE = 60.0
_WINDOW = 32
# Seconds after many messages: a function may send the fleet 1,000 a second, and twice as many at once.
_REST = 0.5
_DATA = {"lux": 123.456, "saturated": False, "window": [101.5, 102.25, 103.125, 104.5, 105.75, 106.5, 107.0]}
_MANIFEST = """\
name = "echo"
handler = "main:handler"
[[triggers]]
type = "mqtt"
topic = "bench/in"
"""
_CODE = "def handler(event, context):\n    context.publish('bench/out', event.data['data'])\n"
# A bare paho client: what comes on one topic goes out on the other.
_ECHO = """
import json, socket, sys
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

host, port, user, source, target = sys.argv[1:]
client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="echo")
client.username_pw_set(user, sys.stdin.readline().strip())
client.max_inflight_messages_set(1000)
client.on_socket_open = lambda _c, _u, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.on_connect = lambda *_: client.subscribe(source, 1)
client.on_subscribe = lambda *_: print("subscribed", flush=True)
client.on_message = lambda _c, _u, message: client.publish(target, json.dumps(json.loads(message.payload)), 1)
client.connect(host, int(port))
client.loop_forever()
"""

Ask = Callable[[], None]


def measure(quick: bool) -> list[Figure]:
    """One message at a time across processors and on one, then pipelined."""
    return [figure for pinned in (False, True) for figure in _measure(quick, pinned)]


def _measure(quick: bool, pinned: bool) -> list[Figure]:
    rounds, batch = (2, 10) if quick else (11, 100)
    with contextlib.ExitStack() as stack:
        stack.enter_context(processors(pinned))
        running = stack.enter_context(home.running())
        sides = stack.enter_context(_sides(running))
        for side in sides:
            stack.enter_context(side.connected())
            side.batch(batch, 1)
        single = [[side.batch(batch // side.slowness, 1) for side in sides] for _ in range(rounds)]
        flowing = [[side.flow(batch * 5) for side in sides if side.slowness == 1] for _ in range(rounds)]
    ours, echo, nodelay, node = (list(each) for each in zip(*single, strict=True))
    ours_flowing, echo_flowing, nodelay_flowing = (list(each) for each in zip(*flowing, strict=True))
    name, flow = "MQTT in → function → MQTT out", "MQTT in → function → MQTT out, pipelined"
    bare, runtime = "a bare paho client that echoes", f"Node-RED {node_red.VERSION}, one function node"
    return [
        _figure(name, ours, echo, bare, ECHO_GOAL, pinned),
        _figure(name, ours, node, runtime, NODE_RED_GOAL, pinned),
        _figure(name, ours, nodelay, f"{runtime}, without Nagle", NODE_RED_GOAL, pinned),
        _figure(flow, ours_flowing, echo_flowing, bare, PIPELINED_GOAL, pinned),
        _figure(flow, ours_flowing, nodelay_flowing, f"{runtime}, without Nagle", None, pinned),
    ]


@contextlib.contextmanager
def _sides(running: RunningHome) -> "Generator[list[_Side], None, None]":
    """All that is compared, at work."""
    broker = running.broker
    with _ours(running), _echo(broker), _node_red(broker, "node", True), _node_red(broker, "nodelay", False):
        yield [_Side(broker, name) for name in ("bench", "echo", "nodelay", "node")]


def _node_red(broker: Broker, name: str, nagle: bool) -> contextlib.AbstractContextManager[int]:
    source, target = (topics.shared("home", f"{name}/{way}") for way in ("in", "out"))
    return node_red.running(broker, source, target, nagle)


class _Side:
    """The client's view of one of the three: it sends on `<name>/in` and hears on `<name>/out`."""

    def __init__(self, broker: Broker, name: str) -> None:
        self._broker = broker
        self._source = topics.shared("home", f"{name}/in")
        self._target = topics.shared("home", f"{name}/out")
        self._back: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._name = name
        # Of Node-RED as it comes fewer: its messages take longest by far.
        self.slowness = 5 if name == "node" else 1

    @contextlib.contextmanager
    def connected(self) -> Generator[None, None, None]:
        """With a client of its own."""
        with mqtt.subscribed(self._broker, self._target, self._back.put, f"bench-{self._name}") as client:
            self._client = client
            self._wait()
            yield

    def _wait(self) -> None:
        """Until the other side answers, which may have connected before it subscribed."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            self._client.publish(self._source, _payload(), 1)
            with contextlib.suppress(queue.Empty):
                self._back.get(timeout=1)
                return
        raise TimeoutError(f"{self._source} is not answered")

    def batch(self, times: int, window: int) -> float:
        """Seconds for each of `times` messages, with `window` of them on their way."""
        payload = _payload()
        started = time.perf_counter()
        for _ in range(min(window, times)):
            self._client.publish(self._source, payload, 1)
        for left in range(times, 0, -1):
            self._back.get(timeout=_PATIENCE)
            if left > window:
                self._client.publish(self._source, payload, 1)
        return (time.perf_counter() - started) / times

    def flow(self, times: int) -> float:
        """As `batch`, with many on their way, and a rest before the next."""
        taken = self.batch(times, _WINDOW)
        time.sleep(_REST)
        return taken


def _payload() -> bytes:
    """A CloudEvent, as functions of a fleet send each other."""
    attributes = {"specversion": "1.0", "id": "1", "source": "/bench", "type": "bench"}
    return json.dumps({**attributes, "datacontenttype": "application/json", "data": _DATA}).encode()


@contextlib.contextmanager
def _ours(running: RunningHome) -> Generator[None, None, None]:
    bundle = home.pack(running.folder / "echo", _MANIFEST, _CODE)
    running.wait_committed(running.deploy(bundle))
    yield


@contextlib.contextmanager
def _echo(broker: Broker) -> Generator[None, None, None]:
    source, target = (topics.shared("home", f"echo/{way}") for way in ("in", "out"))
    arguments = [broker.host, str(broker.port), broker.username, source, target]
    with subprocess.Popen([sys.executable, "-c", _ECHO, *arguments], stdin=-1, stdout=-1, text=True) as client:
        assert client.stdin and client.stdout
        try:
            print(broker.password, file=client.stdin, flush=True)
            if client.stdout.readline() != "subscribed\n":
                raise ConnectionError("the echoing client could not connect")
            yield
        finally:
            client.terminate()


def _figure(
    name: str, ours: list[float], reference: list[float], against: str, goal: float | None, pinned: bool
) -> Figure:
    return Figure(name, "µs", spread(ours, 1e6), spread(reference, 1e6), against, goal, pinned)
