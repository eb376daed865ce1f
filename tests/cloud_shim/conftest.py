"""Real parts for the shim's tests: artifacts, brokers on free ports, a paho client that plays a device."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from starlette.testclient import TestClient

from cloud_shim.app import create_app
from cloud_shim.broker import setup as broker
from cloud_shim.cli.up import ports
from cloud_shim.config import Config
from cloud_shim.people import token_files
from cloud_shim.shim import Shim
from cloud_shim.trust.signing import Signing
from device.artifact import archive
from device.enrol.secret import hash_password, new_password
from tests.support import small_model

FLEET = "home"
BOARD = "lamplight/simulated"
PATIENCE = 30.0
FUNCTION = """
name = "{name}"
handler = "main:handler"
timeout = "2s"
models = {models}

[[triggers]]
type = "sensor"
sensor = "light"

{pins}

[config]
threshold = 100
name = "lamp"
inverted = false
"""
LED = '[pins.led]\ndirection = "out"'


def wait_until(condition: Callable[[], object], what: str = "the condition") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true in {PATIENCE:g} s"
        time.sleep(0.02)


@pytest.fixture
def until():
    return wait_until


@pytest.fixture
def make_function(tmp_path):
    """Packs a function; `code` makes it another release, `extra` are more files."""

    def make(name="night-light", code="", models=(), pins=LED, toml=None, extra=None) -> bytes:
        folder = tmp_path / f"source-{time.monotonic_ns()}"
        folder.mkdir()
        (folder / "function.toml").write_text(toml or FUNCTION.format(name=name, models=list(models), pins=pins))
        (folder / "main.py").write_text(f"def handler(event, context):\n    return None\n{code}\n")
        for path, data in (extra or {}).items():
            (folder / path).write_bytes(data)
        return archive.pack(folder)

    return make


@pytest.fixture
def make_model(tmp_path):
    """Packs a model of about `size` bytes, well-formed for all that the shim looks at."""

    def make(name="presence", size=100, seed=0) -> bytes:
        folder = tmp_path / f"model-{time.monotonic_ns()}"
        folder.mkdir()
        for file, data in small_model(name, weights=size // 4 + 1, seed=seed).items():
            (folder / file).write_bytes(data)
        return archive.pack(folder)

    return make


class RunningBroker:
    """A broker process; `kill` ends it without a word, `start` starts it again on the same port and state."""

    def __init__(self, state: Path, fallback: bool = False) -> None:
        self.state = state
        self.port = ports.free()
        self._fallback = fallback
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            if self._fallback:
                patch.setattr(broker, "find_mosquitto", lambda: None)
            command = broker.prepare(self.state, self.port, FLEET)
        assert bool(command.note) == self._fallback
        self._process = subprocess.Popen(command.argv)
        wait_until(self._accepts, "the broker's port")

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process and self._process.poll() is None:
            os.kill(self._process.pid, number)
            self._process.wait(10)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def lose_everything(self) -> None:
        self.kill()
        (self.state / "broker" / "mosquitto.db").unlink(missing_ok=True)

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def mosquitto(tmp_path) -> Iterator[RunningBroker]:
    running = RunningBroker(tmp_path / "state")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def fallback(tmp_path) -> Iterator[RunningBroker]:
    running = RunningBroker(tmp_path / "state", fallback=True)
    running.start()
    yield running
    running.stop()


@pytest.fixture(params=["mosquitto", "fallback"])
def either_broker(request) -> RunningBroker:
    return request.getfixturevalue(request.param)


class Client:
    """An MQTT client as a device would be: remembers everything it is sent, by topic, in order."""

    def __init__(self, port: int, user: str, password: str, will: tuple[str, bytes] | None = None, id="") -> None:
        self.received: list[tuple[str, bytes]] = []
        self.refused: list[str] = []
        self.subscribed = 0
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=id or user)
        self.mqtt.username_pw_set(user, password)
        self.mqtt.reconnect_delay_set(1, 1)
        if will:
            self.mqtt.will_set(will[0], will[1], 1, True)
        self.mqtt.on_message = lambda c, d, message: self.received.append((message.topic, bytes(message.payload)))
        self.mqtt.on_connect = lambda c, d, f, reason, p: (
            self.refused.append(str(reason)) if reason.is_failure else None
        )
        self.mqtt.on_subscribe = lambda c, d, mid, reasons, p: setattr(self, "subscribed", self.subscribed + 1)
        self.mqtt.connect("127.0.0.1", port, 60)
        self.mqtt.loop_start()

    def connected(self) -> bool:
        return self.mqtt.is_connected()

    def of(self, topic: str) -> list[bytes]:
        return [payload for each, payload in list(self.received) if each == topic]

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> None:
        self.mqtt.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE)

    def subscribe(self, topic: str, qos: int = 0) -> None:
        before = self.subscribed
        self.mqtt.subscribe(topic, qos)
        wait_until(lambda: self.subscribed > before, "the subscription")

    def vanish(self) -> None:
        """End the connection as a power cut does: the broker sends the will."""
        self.mqtt.loop_stop()
        self.mqtt.socket().close()

    def close(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


@pytest.fixture
def connect():
    """Connects clients, and closes them at the end: connect(port, user, password, wait=True, will=None, id="")."""
    clients = []

    def make(port, user, password, wait=True, will=None, id="") -> Client:
        client = Client(port, user, password, will, id)
        clients.append(client)
        if wait:
            wait_until(client.connected, f"{user}'s connection")
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def admit():
    """Lets devices in on a broker: admit(broker, "pi", …) gives each one's password."""

    def make(running: RunningBroker, *names: str) -> dict[str, str]:
        passwords = {name: new_password() for name in names}
        hashes = {name: hash_password(password) for name, password in passwords.items()}
        broker.set_devices(running.state, FLEET, hashes)
        return passwords

    return make


@pytest.fixture
def shim(tmp_path) -> Iterator[Shim]:
    """A shim whose broker is away."""
    port = ports.free()
    broker.prepare(tmp_path / "state", port, FLEET)
    yield Shim(Config(tmp_path / "state", 0, "127.0.0.1", port))


def bearer(state: Path) -> dict[str, str]:
    """The headers of the owner of the shim with this state folder."""
    return {"Authorization": f"Bearer {token_files.owner(state)}"}


@pytest.fixture
def http(shim) -> Iterator[TestClient]:
    """The HTTP side of `shim`, with one device, "pi"."""
    with TestClient(
        create_app(shim),
        base_url="http://127.0.0.1:8420",
        headers=bearer(shim.config.state),
        raise_server_exceptions=False,
    ) as client:
        client.post("/api/devices", json={"name": "pi", "board": BOARD, "simulation": None})
        yield client


@pytest.fixture
def connected_shim(mosquitto, until) -> Iterator[Shim]:
    """A shim that is connected to the `mosquitto` fixture."""
    the = Shim(Config(mosquitto.state, 0, "127.0.0.1", mosquitto.port))
    the.start()
    until(lambda: the.link.connected, "the shim's connection")
    yield the
    the.close()


@pytest.fixture
def signing(tmp_path) -> Signing:
    """A shim's two repositories, with all keys and one release, `lamp v1`."""
    made = Signing(tmp_path / "shim")
    made.release("function", "lamp", 1, "a" * 64, 1000)
    return made
