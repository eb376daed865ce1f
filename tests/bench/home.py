"""A whole Lamplight for a benchmark: broker, shim, simulated hardware and the real agent, each its own process.

The same processes as `lamplight up` starts, in a folder that goes away. Talks to the shim as the command line does.
"""

import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from cloud_shim.broker import access
from cloud_shim.broker import setup as broker
from cloud_shim.cli import credentials
from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.home import Home
from cloud_shim.cli.up.home_folder import HomeFolder
from device.artifact import archive
from tests.support import child_of

DEVICE = "bench-pi"
_OTHER = "raspberry-pi/4b"
PATIENCE = 120.0
# A benchmark does not wait for a trial to prove anything: it ends with the first handled event.
_TRIAL = {"seconds": 0, "events": 1}

T = TypeVar("T")


@dataclass(frozen=True)
class Broker:
    """How to reach the broker as a user who may use every topic of the fleet."""

    host: str
    port: int
    username: str
    password: str


class RunningHome:
    """A started Home; `folder` is for a benchmark's own files, on the same disk as everybody's state."""

    def __init__(self, home: Home, client: Client, broker: Broker, folder: Path, http_port: int) -> None:
        self.launcher = home.agent.pid
        self.agent = child_of(self.launcher)
        self.broker = broker
        self._home = home
        self.folder = folder
        self.http_port = http_port
        self._client = client

    def deploy(self, bundle: bytes) -> int:
        """What `lamplight deploy` asks the shim for: release `bundle`, deploy it. Gives the generation."""
        release = self._client.release(bundle)
        wanted = {key: release[key] for key in ("kind", "name", "version")}
        answer = httpx.post(
            f"{self._client.url}/api/devices/{DEVICE}/deploy",
            json={**wanted, "config": None, "trial": _TRIAL},
            headers=credentials.headers(self._client.url),
            trust_env=False,
        )
        return answer.raise_for_status().json()["generation"]

    def wait_committed(self, generation: int) -> None:
        """Return when the device has reported this generation as committed."""
        self.record("events", lambda each: each["kind"] == "update" and _state(each) == (generation, "COMMITTED"))

    def moment(self, generation: int, state: str) -> float:
        """When, in seconds since 1970, the device came to this state of an update."""
        return self.record("events", lambda each: each["kind"] == "update" and _state(each) == (generation, state))[
            "time"
        ]

    def fetched(self, generation: int) -> int:
        """How many bytes the device has fetched for this generation, once it has committed it and says so."""

        def look() -> int | None:
            told = self._client.device(DEVICE)["reported"]["update"]
            return told["total"] if _state(told) == (generation, "COMMITTED") else None

        return _eventually(look, f"a report of generation {generation}")

    def provision(self, device: str) -> str:
        """Make a further device known; gives its password."""
        return self._client.add_device(device, _OTHER, "")["password"]

    def revoke(self, device: str) -> None:
        """Shut the device out; what was closed for its flood opens again."""
        self._client.revoke(device)

    def floods(self) -> list[dict[str, Any]]:
        """Those that the shim keeps out for a flood."""
        return [each for each in self._client.health()["excess"] if each["kind"] == "paused"]

    def wait_noticed(self, before: list[dict[str, Any]]) -> None:
        """Return when the shim keeps somebody out beyond those of `before`."""
        _eventually(lambda: self.floods() != before or None, "a flood that the shim noticed")

    def last_record(self, function: str) -> int:
        """The number of the newest record of the function."""
        records = self._client.records(DEVICE, "telemetry", function, 1)
        return records[-1]["id"] if records else 0

    def records_after(self, function: str, number: int) -> list[dict[str, Any]]:
        """The function's records behind the one of this number."""
        return self._client.records(DEVICE, "telemetry", function, 1000, after=number)

    def record(self, stream: str, matches: Callable[[dict[str, Any]], bool], function: str = "") -> dict[str, Any]:
        """The first record of `stream` that matches, waiting for it."""
        seen = 0

        def look() -> dict[str, Any] | None:
            nonlocal seen
            for child in self._home.children:
                if not child.running:
                    raise child.failure("ended in the middle of a benchmark")
            new = self._client.records(DEVICE, stream, function, 1000, after=seen)
            seen = new[-1]["id"] if new else seen
            return next(filter(matches, new), None)

        return _eventually(look, f"a record on {stream}")


@contextlib.contextmanager
def running(large_messages: bool = False, tuned: bool = True) -> Generator[RunningHome, None, None]:
    """A home with `night-light` at work on its one device.

    `large_messages` lifts the broker's limit on the size of one message, for a reference that sends a file in one. The
    broker that is not `tuned` has mosquitto's default settings.
    """
    with tempfile.TemporaryDirectory(prefix="lamplight-bench-") as temporary:
        folder = Path(temporary)
        state = HomeFolder(folder / "state")
        port, mqtt_port = ports.free(), ports.free()
        http_port = ports.free()
        home = Home(state, port, mqtt_port, DEVICE, http_port=http_port)
        configuration = broker.folder(state.cloud) / "mosquitto.conf"
        if large_messages:
            _lift_size_limit(configuration)
        if not tuned:
            configuration.write_text(f"listener {mqtt_port} 127.0.0.1\nallow_anonymous true\n")
        try:
            home.start()
            with Client(home.url) as client:
                reach = Broker("127.0.0.1", mqtt_port, access.SHIM_USER, broker.shim_password(state.cloud))
                started = RunningHome(home, client, reach, folder, http_port)
                started.wait_committed(1)
                yield started
        finally:
            home.stop()


def pack(folder: Path, manifest: str, code: str, data: bytes = b"") -> bytes:
    """The archive of a bundle with this function.toml and main.py and, unless it is empty, a file of `data`."""
    folder.mkdir(exist_ok=True)
    (folder / "function.toml").write_text(manifest)
    (folder / "main.py").write_text(code)
    if data:
        (folder / "weights.bin").write_bytes(data)
    return archive.pack(folder)


def _lift_size_limit(configuration: Path) -> None:
    text, count = re.subn(r"(?m)^max_packet_size .*\n", "", configuration.read_text())
    if count != 1:
        raise ValueError(f"{configuration} has no max_packet_size to lift")
    configuration.write_text(text)


def _state(update: dict[str, Any]) -> tuple[int, str]:
    return update["generation"], update["state"]


def _eventually(look: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not come within {PATIENCE:g} s")
