"""The gpio trigger: debouncing as decisions, and the whole way from the simulated board's button."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from device.hal.sim.world import World
from device.triggers.gpio import Debounce

ROOT = Path(__file__).parents[3]


def lasting(period, level, *edges):
    """What is told of edges (level, at) when it is looked at at each whole number of time."""
    debounce, told, waiting = Debounce(period, level), [], list(edges)
    for now in range(100):
        while waiting and waiting[0][1] <= now:
            debounce.edge(*waiting.pop(0))
        if (new := debounce.due(now)) is not None:
            told.append((new, now))
    return told


def test_a_press_that_lasts_is_told_after_its_time():
    assert lasting(10, True, (False, 5), (True, 50)) == [(False, 15), (True, 60)]


def test_a_contact_that_bounces_is_one_edge():
    assert lasting(10, True, *((n % 2 == 1, 5 + 2 * n) for n in range(9))) == [(False, 31)]


def test_a_spike_is_no_edge():
    assert lasting(10, True, (False, 5), (True, 10)) == []


@pytest.fixture
def world(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "device.hal.sim", "--socket", str(tmp_path / "world")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline()
    with World.connect(tmp_path / "world") as world:
        yield world
    process.terminate()
    process.wait()
    process.stdout.close()


# Blinka stays with the board it first saw, so the triggers are in a process of their own.
WATCHER = """
import json, sys
from pathlib import Path
import boards
from device.hal.hardware import Hardware
from device.protocol.triggers import GpioTrigger
from device.triggers.gpio import PinHub
hub = PinHub(Hardware(boards.load("lamplight/simulated"), Path(sys.argv[1])).edges)
def told(who):
    return lambda *event: print(json.dumps([who, *event]), flush=True)
triggers = [
    hub.trigger(GpioTrigger("button"), told("both")),
    hub.trigger(GpioTrigger("button", "falling"), told("falling")),
]
print("watching", flush=True)
for line in sys.stdin:
    triggers.pop().close()
    print("closed", flush=True)
"""


@pytest.fixture
def watcher(world, tmp_path):
    command = [sys.executable, "-c", WATCHER, str(tmp_path / "world")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "watching\n"
    yield process
    process.kill()
    process.communicate()


def heard(watcher, count):
    return sorted(json.loads(watcher.stdout.readline()) for _ in range(count))


def test_a_press_of_the_button_reaches_everybody_who_watches_it(world, watcher):
    world.wire("button", False)
    data = {"pin": "button", "value": False}
    assert heard(watcher, 2) == [
        [who, "gpio/button", "lamplight.gpio.falling", data, "button"] for who in ("both", "falling")
    ]
    world.wire("button", None)
    assert heard(watcher, 1)[0][:3] == ["both", "gpio/button", "lamplight.gpio.rising"]


def test_edges_faster_than_anybody_looks_are_not_lost(world, watcher):
    for _ in range(3):
        world.wire("button", False)
        heard(watcher, 2)
        world.wire("button", True)
        heard(watcher, 1)


def test_a_pin_is_let_go_of_when_nobody_watches_it_any_more(world, watcher, tmp_path):
    for _ in range(2):
        watcher.stdin.write("close\n")
        watcher.stdin.flush()
        assert watcher.stdout.readline() == "closed\n"
    code = """
import sys
from pathlib import Path
import boards
from device.hal.hardware import Hardware
print(Hardware(boards.load("lamplight/simulated"), Path(sys.argv[1])).input("button").value)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(tmp_path / "world")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "True\n"
