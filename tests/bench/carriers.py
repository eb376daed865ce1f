"""The references for a transfer: the same bytes through the same broker by mosquitto's own C clients, and by bare paho.

None of them verifies anything, waits for a disk, or could go on after an interruption. mosquitto's clients send the
file as one message (the broker's limit on that is lifted for them), and pay for the start of a small program each.
"""

import queue
import subprocess
import sys
import time
from pathlib import Path

from device.protocol import chunks, topics
from tests.bench import mqtt
from tests.bench.home import Broker

_PATIENCE = 120.0
# One that the shim may use and that nobody listens to.
_TOPIC = topics.of_device("home", "nobody", "ack")

# Pushes a file in chunks at QoS 1 once a line arrives on standard input, and stays until the last is acknowledged.
_PUSH = """
import socket, sys
from pathlib import Path
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

host, port, user, topic, file, size = sys.argv[1:]
data, size = Path(file).read_bytes(), int(size)
client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="push")
client.username_pw_set(user, sys.stdin.readline().strip())
client.on_socket_open = lambda _c, _u, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.on_connect = lambda *_: print("connected", flush=True)
client.connect(host, int(port))
client.loop_start()
sys.stdin.readline()
sent = [client.publish(topic, data[start : start + size], 1) for start in range(0, len(data), size)]
for each in sent:
    each.wait_for_publish()
client.disconnect()
"""


def retained(broker: Broker, folder: Path, data: bytes) -> float:
    """Seconds of `mosquitto_pub --retain -f` until the broker has acknowledged, then of `mosquitto_sub` into a file."""
    source, target = _files(folder, data)
    started = time.perf_counter()
    subprocess.run(["mosquitto_pub", *_options(broker), "--retain", "--qos", "1", "-f", str(source)], check=True)
    with target.open("wb") as file:
        subprocess.run(["mosquitto_sub", *_options(broker), "-C", "1", "-N"], stdout=file, check=True)
    took = time.perf_counter() - started
    _check(target, data)
    subprocess.run(["mosquitto_pub", *_options(broker), "--retain", "--null-message"], check=True)
    return took


def live(broker: Broker, folder: Path, data: bytes) -> float:
    """Seconds from the start of `mosquitto_pub -f` until a `mosquitto_sub` that is subscribed already has the file."""
    source, target = _files(folder, data)
    publish, mark = ["mosquitto_pub", *_options(broker), "--qos", "1"], b"x"
    # What tells that it is subscribed: it has written this.
    subprocess.run([*publish, "--retain", "-m", mark.decode()], check=True)
    with target.open("wb") as file:
        command = ["mosquitto_sub", *_options(broker), "--qos", "1", "-C", "2", "-N"]
        with subprocess.Popen(command, stdout=file) as receiver:
            while not target.stat().st_size and receiver.poll() is None:
                time.sleep(0.01)
            started = time.perf_counter()
            subprocess.run([*publish, "-f", str(source)], check=True)
            receiver.wait(_PATIENCE)
            took = time.perf_counter() - started
    _check(target, mark + data)
    subprocess.run([*publish, "--retain", "--null-message"], check=True)
    return took


def paho(broker: Broker, folder: Path, data: bytes) -> float:
    """Seconds from the first chunk that a bare paho client pushes until another has the last of them in memory."""
    source, _ = _files(folder, data)
    arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
    arguments = [broker.host, str(broker.port), broker.username, _TOPIC, str(source), str(chunks.CHUNK_SIZE)]
    with (
        mqtt.subscribed(broker, _TOPIC, lambda payload: arrived.put(len(payload))),
        subprocess.Popen([sys.executable, "-c", _PUSH, *arguments], stdin=-1, stdout=-1, text=True) as push,
    ):
        assert push.stdin and push.stdout
        print(broker.password, file=push.stdin, flush=True)
        if push.stdout.readline() != "connected\n":
            raise ConnectionError("the pushing client could not connect")
        started = time.perf_counter()
        print("go", file=push.stdin, flush=True)
        left = len(data)
        while left:
            left -= arrived.get(timeout=_PATIENCE)
        return time.perf_counter() - started


def _options(broker: Broker) -> list[str]:
    return ["-h", broker.host, "-p", str(broker.port), "-u", broker.username, "-P", broker.password, "-t", _TOPIC]


def _files(folder: Path, data: bytes) -> tuple[Path, Path]:
    source = folder / "artifact"
    source.write_bytes(data)
    return source, folder / "received"


def _check(target: Path, data: bytes) -> None:
    if target.read_bytes() != data:
        raise ValueError("mosquitto's clients did not bring the file whole")
