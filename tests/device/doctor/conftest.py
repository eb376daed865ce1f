"""A provisioned board with a real broker and simulated hardware, and the doctor as a process that looks at it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_shim.broker import credentials
from cloud_shim.broker import setup as broker
from cloud_shim.cli.up import ports
from cloud_shim.trust.signing import Signing
from device.enrol.secret import hash_password, new_password
from tests.support import until

FLEET, DEVICE = "home", "desk-pi"
Results = dict[str, dict[str, str]]


class Board:
    """Everything that a board needs, in `folder`, each part to be broken by a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cloud, self.state, self.roots = folder / "cloud", folder / "state", folder / "roots"
        self.config, self.password, self.socket = folder / "agent.toml", folder / "password", folder / "hw.sock"
        self.port = ports.free()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._provision()
        self.start_broker()
        self.start_hardware()

    def configure(self, board: str = "lamplight/simulated", host: str = "127.0.0.1", more: str = "") -> None:
        """Write agent.toml."""
        self.config.write_text(
            f'fleet = "{FLEET}"\ndevice = "{DEVICE}"\nboard = "{board}"\nstate = "{self.state}"\n'
            f'roots = "{self.roots}"\nsimulation = "{self.socket}"\n[broker]\nhost = "{host}"\nport = {self.port}\n'
            f'username = "{DEVICE}"\npassword_file = "{self.password}"\n{more}'
        )

    def doctor(self, *arguments: str, code: int | None = None) -> Results:
        """What `python -m device.doctor --json` finds, by name; fails when it ends with another exit code."""
        command = [sys.executable, "-m", "device.doctor", "--config", str(self.config), "--json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert "Traceback" not in done.stderr, done.stderr
        results = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
        failed = any(each["status"] == "fail" for each in results.values())
        assert done.returncode == (int(failed) if code is None else code), done.stdout
        return results

    def start_broker(self) -> None:
        prepared = broker.prepare(self.cloud, self.port, FLEET)
        self._start("broker", prepared.argv)
        until(self._broker_listens, "the broker listens")

    def start_fallback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
        self.start_broker()

    def start_hardware(self) -> None:
        self._start("hardware", [sys.executable, "-m", "device.hal.sim", "--socket", str(self.socket)])
        until(self.socket.exists, "the hardware is there")

    def start_agent(self) -> None:
        self._start("agent", [sys.executable, "-m", "device.agent", "--config", str(self.config)])
        until(lambda: self.doctor()["agent.running"]["found"] == "it runs", "the agent runs")

    def stop(self, name: str) -> None:
        process = self._processes.pop(name)
        process.terminate()
        process.wait(30)

    def close(self) -> None:
        for name in list(self._processes):
            self.stop(name)

    def _start(self, name: str, command: list[str]) -> None:
        self._processes[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _broker_listens(self) -> bool:
        import socket

        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _provision(self) -> None:
        broker.prepare(self.cloud, self.port, FLEET)
        password = new_password()
        broker.set_devices(self.cloud, FLEET, {DEVICE: hash_password(password)})
        credentials.write_private(self.password, password)
        self.sign(Signing(self.folder / "signing"))
        self.state.mkdir()
        self.configure()

    def sign(self, signing: Signing) -> None:
        """Trust these roots."""
        self.roots.mkdir(exist_ok=True)
        for name, root in zip(("director", "image"), signing.roots(), strict=True):
            (self.roots / f"{name}-root.json").write_bytes(root)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path)
    yield made
    made.close()
