"""A fleet whose shim and boards are of different versions of Lamplight, each from where it is installed.

`Installed` is one version; `MixedFleet` runs broker and shim of one and boards of the other. It asserts nothing.
"""

import configparser
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.process import Process
from cloud_shim.cli.up.provision import DeviceFiles
from device.version import built_in
from flashing import identity
from flashing.identity import Broker
from tests.support import until

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BOARD, NEWCOMER = "desk-pi", "attic-pi"


@dataclass(frozen=True)
class Installed:
    """One version: its number, where its packages are (None: this checkout), and the module of its command line.

    `ships` is the number of the agent that its `upgrade` sends.
    """

    version: str
    ships: str
    folder: Path | None
    command: str

    def python(self, module: str, *arguments: str) -> list[str]:
        """The command that runs a module of it."""
        return [sys.executable, "-P", "-m", module, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """What `python` needs in its environment."""
        return {"PYTHONPATH": str(self.folder)} if self.folder else {}


def this() -> Installed:
    """This checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module = project["scripts"]["lamplight"].partition(":")[0]
    return Installed(built_in(), project["version"], None, module)


def previous(into: Path) -> Installed:
    """The version of the wheel that is kept here, installed in the folder `into`."""
    (wheel,) = HERE.glob("*.whl")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "-q", "-t", str(into)]
    subprocess.run([*command, str(wheel)], check=True)
    version = wheel.name.split("-")[1]
    scripts = configparser.ConfigParser()
    scripts.read_string(zipfile.ZipFile(wheel).read(f"lamplight-{version}.dist-info/entry_points.txt").decode())
    return Installed(version, version, into, scripts["console_scripts"]["lamplight"].partition(":")[0])


class MixedFleet:
    """Broker, shim and command line of `cloud`; a simulated board and one that is let in by a token, of `boards`."""

    def __init__(self, folder: Path, cloud: Installed, boards: Installed) -> None:
        self.folder, self.cloud, self.boards = folder, cloud, boards
        self.port, self.mqtt_port, self.tls_port = ports.free(), ports.free(), ports.free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = Client(self.url)
        listening = ("--listen", f"127.0.0.1:{self.tls_port}", "--listen-name", "localhost")
        where = ("--state", str(folder / "state"), "--port", str(self.port), "--mqtt-port", str(self.mqtt_port))
        self._started: list[Process] = []
        self._up = self._process("up", cloud, cloud.command, "up", "--json", "--no-device", *where, *listening)

    def start(self) -> None:
        """Start all; returns when both boards are online."""
        self._run(self._up)
        self._up.wait_ready(lambda: '"url"' in self._up.log.read_text(), 60.0)
        self._start_board()
        self._start_newcomer()
        for name in (BOARD, NEWCOMER):
            until(lambda name=name: self.is_online(name), f"{name} is online: {self.log(name)}")

    def stop(self) -> None:
        """Stop all, those that need others first."""
        self.client.close()
        for each in reversed(self._started):
            each.stop(grace=30.0)

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What `lamplight --json ARGUMENTS` of the cloud's version gives."""
        return json.loads(self.run("--json", *arguments, code=code).stdout)

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """`lamplight ARGUMENTS` of the cloud's version; fails when it ends with another exit code."""
        environment = {**os.environ, **self.cloud.environment, "LAMPLIGHT_URL": self.url, "NO_COLOR": "1"}
        command = self.cloud.python(self.cloud.command, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment, cwd=self.folder)
        assert done.returncode == code, f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def is_online(self, name: str) -> bool:
        """Whether the shim knows the board, and sees it."""
        return any(each["name"] == name and each["online"] for each in self.client.devices())

    def reported(self) -> dict[str, Any]:
        """The simulated board's REPORTED."""
        return self.client.device(BOARD)["reported"]

    def log(self, name: str) -> Path:
        """Where that process writes."""
        return self.folder / f"{name}.log"

    def _start_board(self) -> None:
        files = DeviceFiles(BOARD, self.folder / BOARD, self.folder / "hardware.sock")
        files.write(self.client.add_device(BOARD, "lamplight/simulated", str(files.socket)), self.mqtt_port, 0)
        hardware = self._process("hardware", self.boards, "device.hal.sim", "--socket", str(files.socket))
        self._run(hardware)
        hardware.wait_ready(files.socket.exists, 60.0)
        self._run(self._process(BOARD, self.boards, "device.launcher", "--config", str(files.config)))

    def _start_newcomer(self) -> None:
        """A board that knows no password yet, only the token on its card, and comes by TLS."""
        folder, broker = self.folder / NEWCOMER, Broker("localhost", self.tls_port)
        given = identity.from_shim(self.client, NEWCOMER, "home", broker, again=False, token=True)
        for file, data in given.files("linux/x86-64", broker).items():
            (folder / file).parent.mkdir(exist_ok=True, parents=True)
            (folder / file).write_bytes(data.replace(identity.STATE.encode(), str(folder).encode()))
        with (folder / "agent.toml").open("a") as config:
            config.write("[http]\nport = 0\n")
        self._run(self._process(NEWCOMER, self.boards, "device.launcher", "--config", str(folder / "agent.toml")))

    def _process(self, name: str, of: Installed, module: str, *arguments: str) -> Process:
        return Process(name, of.python(module, *arguments), self.log(name), of.environment)

    def _run(self, process: Process) -> None:
        process.start()
        self._started.append(process)
