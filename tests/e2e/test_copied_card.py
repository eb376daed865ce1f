"""A card is copied, a person gives the copy a name of its own, and it goes on as a device with its own records."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.provision import DeviceFiles
from tests.e2e.conftest import Fleet
from tests.support import until

NAME, NEW = "attic-pi", "shelf-pi"
# The copy comes back at random, after up to a minute.
PATIENCE = 240.0
TICK = 'name = "tick"\nhandler = "main:handler"\n[[triggers]]\ntype = "timer"\nevery = "1s"\n'


class Board:
    """A simulated board with its files in `folder`, and the processes on it."""

    def __init__(self, folder: Path) -> None:
        self.files = DeviceFiles(NAME, folder, folder / "hardware.sock")
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        commands = (
            [sys.executable, "-m", "device.hal.sim", "--socket", str(self.files.socket)],
            [sys.executable, "-m", "device.launcher", "--config", str(self.files.config)],
        )
        log = (self.files.folder / "log").open("ab")
        self.processes = [subprocess.Popen(each, stdout=log, stderr=log) for each in commands]

    def stop(self) -> None:
        for each in reversed(self.processes):
            each.terminate()
            each.wait(60)
        self.processes = []

    def copied(self, folder: Path) -> "Board":
        """Another board with a copy of this one's card."""
        shutil.copytree(self.files.folder, folder, ignore=shutil.ignore_patterns("*.sock", "log"))
        copy = Board(folder)
        told = self.files.config.read_text().replace(str(self.files.folder), str(folder))
        port = next(line for line in told.split("[http]")[1].splitlines() if line.startswith("port"))
        copy.files.config.write_text(told.replace(f"[http]\n{port}", f"[http]\nport = {ports.free()}"))
        return copy

    def log(self) -> str:
        return (self.files.folder / "log").read_text(errors="replace")


@pytest.fixture
def boards() -> Iterator[list[Board]]:
    """The boards that a test started; they end with it, however it ends."""
    made: list[Board] = []
    yield made
    for each in reversed(made):
        each.stop()


@pytest.fixture
def pair(fleet: Fleet, boards: list[Board], tmp_path: Path) -> tuple[Board, Board]:
    """A board with a function, and one with a copy of its card."""
    one = Board(tmp_path / "one")
    given = Client(fleet.url).add_device(NAME, "lamplight/simulated", str(one.files.socket))
    one.files.write(given, fleet.mqtt_port, ports.free())
    boards.append(one)
    one.start()
    until(lambda: fleet.device(NAME)["online"], f"{NAME} is online")
    source = tmp_path / "tick"
    source.mkdir()
    (source / "function.toml").write_text(TICK)
    (source / "main.py").write_text("def handler(event, context):\n    return 'tick'\n")
    fleet.run("deploy", str(source), "--device", NAME, "--trial-events", "0")
    one.stop()
    two = one.copied(tmp_path / "two")
    boards.append(two)
    one.start()
    until(lambda: fleet.device(NAME)["online"], f"{NAME} is back")
    two.start()
    return one, two


def updated(fleet: Fleet) -> str:
    """How far the copy is with the deployment of its new name."""
    told = fleet.device(NEW)["reported"]
    return str(told["update"]["state"]) if told else ""


def test_the_copy_becomes_a_device_of_its_own_with_its_function_and_its_own_records(
    fleet: Fleet, pair: tuple[Board, Board]
) -> None:
    _, two = pair

    def other() -> dict[str, Any]:
        return next((each for each in fleet.device(NAME)["boards"] if not each["chosen"]), {})

    until(lambda: other().get("fingerprints"), "the copy has shown a password of its own", PATIENCE)
    assert other()["fingerprints"][0] in two.log()
    fleet.run("devices", "rename", NAME, other()["hardware"], NEW)
    assert fleet.device(NEW)["desired"]["functions"].keys() == {"tick"}
    until(lambda: fleet.device(NEW)["online"], "the copy is a device of its own", PATIENCE)
    until(lambda: updated(fleet) == "COMMITTED", "it took its deployment", PATIENCE)
    assert fleet.device(NAME)["boards"] == []

    client = Client(fleet.url)
    until(lambda: client.records(NEW, "", "tick", 10), "its records have come", PATIENCE)
    runs = {name: {each["boot"] for each in client.records(name, "", "", 1000)} for name in (NAME, NEW)}
    assert not runs[NAME] & runs[NEW]
    # It tells of the time when it was kept out, too.
    told = " ".join(str(each.get("text")) for each in client.records(NEW, "logs", "", 1000))
    assert "Another board has this one's name" in told
    assert fleet.device(NAME)["online"] and fleet.device(NAME)["reported"]["functions"]["tick"]["state"] == "running"
    # Once more from the start, as after a power cut.
    two.stop()
    until(lambda: not fleet.device(NEW)["online"], "it is off")
    two.start()
    until(lambda: fleet.device(NEW)["online"], "it is back under its name", PATIENCE)
