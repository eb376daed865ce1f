"""A function that fails its trial on a real board is taken back by the board itself, and the board tells why."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

MANIFEST = """name = "night-light"
handler = "main:handler"
timeout = "60s"

[[triggers]]
type = "timer"
every = "20ms"

[pins.button]
direction = "in"
"""
HANDLER = """import time

count = 0

def handler(event, context):
    global count
    while {waits} and context.pins["button"].value:
        time.sleep(0.01)
    count += 1
    if count % {each} == 0:
        raise ValueError("no light today")
"""


@pytest.fixture
def often(fleet: Fleet, night_light: Path) -> Iterator[Path]:
    """A function in place of the starter, which is left out of this; it fails every fifth time."""
    (night_light / "function.toml").write_text(MANIFEST)
    write(night_light, 5)
    # What replaced the starter would be compared with it.
    fleet.run("remove", f"{DEVICE}/night-light")
    fleet.run("deploy", str(night_light), "--device", DEVICE)
    yield night_light
    fleet.world().wire("button", None)


def write(folder: Path, each: int, waits: bool = False) -> None:
    """The handler that fails every so many times; with `waits`, it begins when the button is pressed."""
    (folder / "main.py").write_text(HANDLER.format(each=each, waits=waits))


def device(fleet: Fleet) -> Any:
    """What the shim knows of the board."""
    return fleet.device(DEVICE)


def shim_pid(fleet: Fleet) -> int:
    """The process of this fleet's shim."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    (line,) = [each for each in listed.splitlines() if "cloud_shim.app" in each and str(fleet.state) in each]
    return int(line.split()[0])


def test_a_function_whose_errors_double_is_reverted_without_the_cloud_with_evidence(fleet: Fleet, often: Path) -> None:
    until(lambda: device(fleet)["reported"]["functions"]["night-light"]["events"] >= 300, "enough events before")
    # At fifty events a second the verdict would come before anybody was told of the trial.
    write(often, 2, waits=True)
    deploy = ("deploy", str(often), "--device", DEVICE, "--trial-seconds", "600")
    asked = fleet.json(*deploy, "--no-wait")["generation"]
    on_trial = {"generation": asked, "state": "TRIAL"}
    until(lambda: on_trial.items() <= device(fleet)["reported"]["update"].items(), "the trial")
    pid = shim_pid(fleet)
    os.kill(pid, signal.SIGSTOP)
    try:
        fleet.world().wire("button", False)
        slots = fleet.state / "devices" / DEVICE / "state" / "update" / "slots.json"
        until(lambda: any(each[1] == asked for each in json.loads(slots.read_text())["failed"]), "the board's verdict")
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: str(asked) in device(fleet)["reported"]["evidence"], "the evidence")
    evidence = device(fleet)["reported"]["evidence"][str(asked)]
    assert evidence["kind"] == "errors"
    assert evidence["before"]["errors"] * 4 < evidence["before"]["events"]
    assert evidence["now"]["errors"] * 3 > evidence["now"]["events"]
    assert "no light today" in evidence["last_error"]
    assert "no light today" in fleet.run("status", DEVICE).stdout
    again = fleet.run(*deploy, code=5)
    assert "--retry" in again.stderr


def test_a_sensor_that_dies_in_a_trial_reverts_it_and_one_that_was_dead_does_not(
    fleet: Fleet, night_light: Path
) -> None:
    (night_light / "main.py").write_text("def handler(event, context):\n    return 1\n")
    deploy = ("deploy", str(night_light), "--device", DEVICE, "--trial-seconds", "1")
    # So many events that the trial waits for the sensor's end, and not the sensor for the trial's.
    asked = fleet.json(*deploy, "--trial-events", "1000000", "--no-wait")["generation"]
    on_trial = {"generation": asked, "state": "TRIAL"}
    until(lambda: on_trial.items() <= device(fleet)["reported"]["update"].items(), "the trial")
    fleet.world().set(unplugged=True)
    until(lambda: str(asked) in device(fleet)["reported"]["failed"], "the verdict")
    assert device(fleet)["reported"]["evidence"][str(asked)]["kind"] == "sensor"
    told = fleet.json(*deploy, "--trial-events", "0", "--retry")
    assert told["state"] == "COMMITTED"
