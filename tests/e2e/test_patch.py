"""A small change travels as a patch. All parts are real processes; what the device is given is counted on the wire."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_shim.cli.client import Client
from cloud_shim.cli.up import ports
from cloud_shim.cli.up.home import Home
from cloud_shim.cli.up.home_folder import HomeFolder
from tests.e2e.conftest import DEVICE, LAMPLIGHT
from tests.sim.mqtt_proxy import Proxy
from tests.support import bundle_of_ten_files, three_lines_changed, until

pytestmark = pytest.mark.e2e

# Bytes of artifact that a change of three lines in ten files may take.
MOST = 1000


class Counted:
    """A home whose device reaches the broker through a proxy that counts the chunks it is given."""

    def __init__(self, folder: Path) -> None:
        port = ports.free()
        self.home = Home(HomeFolder(folder / "state"), ports.free(), port, DEVICE)
        self.home.start()
        until(lambda: self.reported().get("generation") == 1, "the first function runs")
        self.proxy = Proxy(port)
        self.home.agent.stop()
        config = self.home.files.config
        config.write_text(config.read_text().replace(f"port = {port}", f"port = {self.proxy.port}"))
        self.home.start_agent()
        self._bundle = folder / "ten-files"
        self._bundle.mkdir()

    def deploy(self, files: dict[str, bytes], *options: str) -> str:
        """`lamplight deploy` of a bundle with these files; gives what it printed."""
        for name, data in files.items():
            (self._bundle / name).write_bytes(data)
        self.proxy.delivered.clear()
        done = subprocess.run(
            [*LAMPLIGHT, *options, "deploy", str(self._bundle), "--device", DEVICE],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "LAMPLIGHT_URL": self.home.url, "NO_COLOR": "1"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def reported(self) -> dict[str, Any]:
        with Client(self.home.url) as client:
            return client.device(DEVICE)["reported"] or {}

    def close(self) -> None:
        self.proxy.close()
        self.home.stop()


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    made = Counted(tmp_path)
    yield made
    made.close()


def test_three_lines_in_ten_files_travel_in_less_than_a_kilobyte(
    counted: Counted, capsys: pytest.CaptureFixture[str]
) -> None:
    files = bundle_of_ten_files()
    whole = json.loads(counted.deploy(files, "--json"))
    assert counted.proxy.bytes_delivered() == whole["length"] == whole["travelled"]
    told = counted.deploy(three_lines_changed(files))
    travelled = counted.proxy.bytes_delivered()
    assert 0 < travelled < MOST
    assert f"{travelled} B travelled instead of" in told
    assert counted.reported()["functions"]["ten-files"]["version"] == 2
    with capsys.disabled():
        print(f" {travelled} bytes of {whole['length']}", end="")


def test_a_base_damaged_on_the_board_makes_the_whole_artifact_travel(counted: Counted) -> None:
    files = bundle_of_ten_files()
    counted.deploy(files)
    for tree in (counted.home.files.state / "update" / "trees").iterdir():
        for part in tree.glob("part_*.py"):
            part.chmod(0o644)
            part.write_bytes(b"rot")
    whole = json.loads(counted.deploy(three_lines_changed(files), "--json"))
    assert counted.proxy.bytes_delivered() > whole["length"]
    assert counted.reported()["functions"]["ten-files"]["version"] == 2
