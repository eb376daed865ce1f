"""`lamplight up` on a machine without mosquitto: says so, works on the built-in broker, and leaves nothing behind."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

# Where mosquitto is looked for depends on the machine; that it is not found is all that differs from the real command.
WITHOUT_MOSQUITTO = """
import sys
from cloud_shim.cli import main as cli
from cloud_shim.broker import setup as broker
broker.find_mosquitto = lambda: None
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Fleet]:
    """A running `up`, started as a person does; what it says is in `said` beside its folder. Ended by Ctrl-C."""
    home = Fleet(tmp_path / "lamplight")
    ports = ("--port", str(home.port), "--mqtt-port", str(home.mqtt_port), "--http-port", "0")
    with (tmp_path / "shown").open("wb") as shown, (tmp_path / "said").open("wb") as said:
        up = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_MOSQUITTO, "up", "--state", str(home.state), *ports],
            stdout=shown,
            stderr=said,
        )
    until(lambda: "lux" in (tmp_path / "shown").read_text() or up.poll() is not None, "the first decision")
    yield home
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0, (tmp_path / "said").read_text()
    until(lambda: not home.processes(), "every process is gone")


def test_the_light_the_lamp_and_a_deployment_work_without_mosquitto(home: Fleet, tmp_path: Path) -> None:
    assert "mosquitto is not installed" in (tmp_path / "said").read_text()
    assert any("broker.fallback" in each for each in home.processes())
    home.run("sim", "cover")
    home.led_becomes(True)
    folder = tmp_path / "mine"
    home.run("new", "night-light", str(folder))
    (folder / "main.py").write_text((folder / "main.py").read_text().replace("<", ">="))
    home.run("deploy", str(folder), "--device", DEVICE)
    home.led_becomes(False)
    home.run("rollback", DEVICE)
    home.led_becomes(True)
