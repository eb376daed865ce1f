"""A function of one board publishes, and a function of another board is started by it: two agents, one broker."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.provision import DeviceFiles
from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

OTHER = "hall-pi"


@pytest.fixture
def other_board(fleet: Fleet, tmp_path: Path) -> Iterator[str]:
    """A second simulated board of the same fleet, online."""
    files = DeviceFiles(OTHER, tmp_path / "other", tmp_path / "hardware.sock")
    given = Client(fleet.url).add_device(OTHER, "lamplight/simulated", str(files.socket))
    files.write(given, fleet.mqtt_port, ports.free())
    commands = (
        [sys.executable, "-m", "device.hal.sim", "--socket", str(files.socket)],
        [sys.executable, "-m", "device.launcher", "--config", str(files.config)],
    )
    started = [subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for each in commands]
    until(lambda: fleet.device(OTHER)["online"], f"{OTHER} is online")
    yield OTHER
    for each in reversed(started):
        each.terminate()
        each.wait(60)


def write(folder: Path, manifest: str, code: str) -> str:
    folder.mkdir()
    (folder / "function.toml").write_text(manifest)
    (folder / "main.py").write_text(code)
    return str(folder)


def test_what_one_board_publishes_starts_a_function_on_the_other(
    fleet: Fleet, other_board: str, tmp_path: Path
) -> None:
    said = 'def handler(event, context):\n    context.publish("rooms/desk", {"said": event.data})\n'
    speaker = write(tmp_path / "speaker", 'name = "speaker"\nhandler = "main:handler"\n', said)
    trigger = '[[triggers]]\ntype = "mqtt"\ntopic = "rooms/+"\n'
    heard = "def handler(event, context):\n    return [event.data['from'].split('/')[2], event.data['data']]\n"
    listener = write(tmp_path / "listener", f'name = "listener"\nhandler = "main:handler"\n{trigger}', heard)
    fleet.run("deploy", listener, "--device", other_board, "--trial-events", "0")
    fleet.run("deploy", speaker, "--device", DEVICE, "--trial-events", "0")
    fleet.run("call", f"{DEVICE}/speaker", "--data", '"hello"')

    def decisions() -> list[Any]:
        found = Client(fleet.url).records(other_board, "", "listener", 10)
        return [each["result"] for each in found if each["kind"] == "decision"]

    until(decisions, "the other board's function was started")
    assert decisions() == [[DEVICE, {"said": "hello"}]]
    fleet.run("remove", f"{DEVICE}/speaker")
