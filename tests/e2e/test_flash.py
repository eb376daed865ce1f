"""A card's identity comes from the running shim, and lets its device connect to the fleet's broker."""

import json
import os
import subprocess
import sys
from pathlib import Path

import paho.mqtt.client as mqtt

from tests.e2e.conftest import Fleet
from tests.flashing.conftest import make_image, read, wheels
from tests.support import until

ROOT = Path(__file__).parents[2]
__all__ = ["make_image", "wheels"]


def flash(fleet: Fleet, base: Path, *more: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "flash.py"), "image", "--board", "raspberry-pi/4b", "--base", str(base)]
    rest = ["--name", "shelf-pi", "--broker", "lamp.local", "--python", "3.13", *more]
    done = subprocess.run(
        [*line, *rest], capture_output=True, text=True, env={**os.environ, "LAMPLIGHT_URL": fleet.url, "NO_COLOR": "1"}
    )
    assert done.returncode == code, done.stderr
    return done


def connects(fleet: Fleet, password: str) -> bool:
    answers: list[bool] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "shelf-pi", protocol=mqtt.MQTTv5)
    client.on_connect = lambda *each: answers.append(not each[3].is_failure)
    client.username_pw_set("shelf-pi", password)
    client.connect("127.0.0.1", fleet.mqtt_port)
    client.loop_start()
    until(lambda: answers, "the broker answered")
    client.disconnect()
    client.loop_stop()
    return answers[0]


def test_a_flashed_device_is_known_and_may_connect_until_it_is_flashed_again(
    fleet: Fleet, make_image, wheels, tmp_path: Path
) -> None:
    base = make_image()
    first, second = tmp_path / "card.img", tmp_path / "second.img"
    flash(fleet, base, "-o", str(first))
    assert "shelf-pi" in [each["name"] for each in fleet.json("devices")["devices"]]
    assert json.loads(read(first, "lamplight/roots/director-root.json"))["signed"]["_type"] == "root"
    password = read(first, "lamplight/password")
    until(lambda: connects(fleet, password), "the broker knows the new device")

    assert "shelf-pi already" in flash(fleet, base, "-o", str(second), code=5).stderr
    assert not second.exists() and connects(fleet, password)

    flash(fleet, base, "-o", str(second), "--again")
    until(lambda: connects(fleet, read(second, "lamplight/password")), "the broker knows the new password")
    assert not connects(fleet, password)
