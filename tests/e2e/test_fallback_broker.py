"""`lamplight up` on a machine without mosquitto: says so, works on the built-in broker, and leaves nothing behind."""

import sys
from pathlib import Path

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

# Where mosquitto is looked for depends on the machine; that it is not found is all that differs from the real command.
WITHOUT_MOSQUITTO = """
import sys
from cloud_shim import broker, cli
broker.find_mosquitto = lambda: None
sys.exit(cli.run(sys.argv[1:]))
"""


def test_the_light_the_lamp_and_a_deployment_without_mosquitto(tmp_path: Path) -> None:
    home = Fleet(tmp_path / "lamplight", (sys.executable, "-c", WITHOUT_MOSQUITTO))
    home.start()
    try:
        assert any("broker_fallback" in each for each in home.processes())
        assert not (home.state / "cloud" / "broker" / "mosquitto.conf").exists()
        home.run("sim", "cover")
        home.led_becomes(True)
        folder = tmp_path / "mine"
        home.run("new", "night-light", str(folder))
        (folder / "main.py").write_text((folder / "main.py").read_text().replace("<", ">="))
        home.run("deploy", str(folder), "--device", DEVICE)
        home.led_becomes(False)
    finally:
        home.stop()
    assert "mosquitto is not installed" in home.said
    until(lambda: not home.processes(), "every process is gone")
