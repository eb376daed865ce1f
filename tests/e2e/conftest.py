"""One real `lamplight up` for all tests of this folder: mosquitto, shim, simulated hardware, agent, each a process."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cloud_shim.cli import credentials
from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from device.hal.sim.link import Link
from device.hal.sim.world import World
from tests.support import until

DEVICE = "desk-pi"
LAMPLIGHT = (sys.executable, "-m", "cloud_shim.cli.main")


class Fleet:
    """A running `lamplight up`, and the command line that talks to it."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self._options = options
        self.port, self.mqtt_port, self.http_port = ports.free(), ports.free(), ports.free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[dict[str, Any]] = []
        self.patience = 120.0  # seconds that one command may take
        self._up: subprocess.Popen[str] | None = None
        self._client = Client(self.url)

    def start(self) -> None:
        """`lamplight up`; returns when it is ready."""
        command = [*LAMPLIGHT, "up", "--json", "--state", str(self.state), *self._ports()]
        self._up = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, args=(self._up,), daemon=True).start()
        up = self._up
        self.lines.clear()
        until(lambda: self.ready() or up.poll() is not None, "`lamplight up` is ready")
        assert up.poll() is None, up.stderr and up.stderr.read()

    @property
    def running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._up is not None and self._up.poll() is None

    def ready(self) -> bool:
        """Whether the first decision has come back."""
        return bool(self.decisions())

    def stop(self) -> int:
        """Ctrl-C; gives the exit code."""
        assert self._up is not None
        self._up.send_signal(signal.SIGINT)
        code = self._up.wait(60)
        for stream in (self._up.stdout, self._up.stderr):
            if stream is not None:
                stream.close()
        return code

    def run(self, *arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """`lamplight ARGUMENTS` against this fleet; fails when it ends with another exit code, unless any will do."""
        done = subprocess.run(
            [*LAMPLIGHT, *arguments],
            capture_output=True,
            text=True,
            timeout=self.patience,
            env={**os.environ, "LAMPLIGHT_URL": self.url, "NO_COLOR": "1"},
        )
        ended = f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert code in (None, done.returncode), ended
        return done

    def json(self, *arguments: str) -> Any:
        """What `lamplight --json ARGUMENTS` gives."""
        return json.loads(self.run("--json", *arguments).stdout)

    def device(self, name: str) -> dict[str, Any]:
        """What the shim says of a device, as `status` shows it; asked directly, for a wait asks often."""
        return self._client.device(name)

    def token(self) -> Mapping[str, str]:
        """The headers that say to the shim that this is its owner."""
        return credentials.headers(self.url)

    def way_in(self) -> str:
        """The path of a link that signs a browser in."""
        return self._client.link().removeprefix(self.url)

    def decisions(self) -> list[dict[str, Any]]:
        """What `up` has shown of decisions so far."""
        return [line for line in self.lines if line.get("kind") == "decision"]

    def processes(self) -> list[str]:
        """Command lines of processes that mention this fleet's folder."""
        listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        return [line for line in listed.splitlines() if str(self.state) in line]

    def world(self) -> World:
        """The simulated board's surroundings, reached directly."""
        link = next(self.state.glob(f"devices/{DEVICE}/agent.toml")).read_text()
        socket = next(line.split('"')[1] for line in link.splitlines() if line.startswith("simulation"))
        return World(Link(Path(socket)))

    def led_becomes(self, lit: bool) -> None:
        """Wait for the LED itself, not for what anybody says of it."""
        world = self.world()
        until(lambda: world.state()["pins"]["led"] is lit, f"the LED is {'lit' if lit else 'out'}")  # type: ignore[index]

    def _ports(self) -> tuple[str, ...]:
        mine = {"--port": self.port, "--mqtt-port": self.mqtt_port, "--http-port": self.http_port}
        return (*(word for option, port in mine.items() for word in (option, str(port))), *self._options)

    def _read(self, up: subprocess.Popen[str]) -> None:
        assert up.stdout is not None
        for line in up.stdout:
            self.lines.append(json.loads(line))


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    made = Fleet(tmp_path_factory.mktemp("home") / "lamplight")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module", autouse=True)
def first_look() -> list[str]:
    """Empty until the first test of a file that uses the fleet."""
    return []


@pytest.fixture(autouse=True)
def lamp_is_there(request: pytest.FixtureRequest, first_look: list[str], tmp_path: Path) -> None:
    """Each file finds the night-light of a new fleet, whatever file before it removed it."""
    if "fleet" not in request.fixturenames or first_look:
        return
    first_look.append(request.node.name)
    fleet: Fleet = request.getfixturevalue("fleet")
    if "night-light" not in fleet.device(DEVICE)["desired"]["functions"]:
        fleet.run("new", "night-light", str(tmp_path / "first-lamp"))
        fleet.run("deploy", str(tmp_path / "first-lamp"), "--device", DEVICE)


@pytest.fixture
def night_light(fleet: Fleet, tmp_path: Path) -> Iterator[Path]:
    """A copy of the starter, deployed in a bright room; no other function runs beside it."""
    folder = tmp_path / "night-light"
    fleet.run("new", "night-light", str(folder))
    fleet.world().set(lux=320.0, covered=False, unplugged=False)
    for other in fleet.device(DEVICE)["desired"]["functions"]:
        if other != "night-light":
            fleet.run("remove", f"{DEVICE}/{other}")
    fleet.run("deploy", str(folder), "--device", DEVICE)
    yield folder
    fleet.world().set(lux=320.0, covered=False, unplugged=False)
