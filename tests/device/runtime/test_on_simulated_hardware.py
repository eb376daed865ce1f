"""The runtime on the simulated board: the real driver in its own processes, the LED seen from outside."""

import subprocess
import sys

import pytest
from runtime_bench import Bench, until

import boards
from device.hal.hardware import Hardware
from device.hal.sim.world import World

NIGHT_LIGHT = """
def handler(event, context):
    context.pins["led"].value = event.data["lux"] < context.config["threshold"]
"""
TOML = """
[[triggers]]
type = "sensor"
sensor = "light"
every = "50ms"

[pins.led]
direction = "out"
safe = false

[config]
threshold = 100
"""


@pytest.fixture
def world(tmp_path):
    socket = tmp_path / "world"
    command = [sys.executable, "-m", "device.hal.sim", "--socket", str(socket)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline()
    with World.connect(socket) as world:
        yield world
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def board(tmp_path, world):
    bench = Bench(tmp_path, hardware=Hardware(boards.load("lamplight/simulated"), tmp_path / "world"))
    yield bench
    bench.supervisor.close()


def led(world):
    return world.state()["pins"]["led"]


def test_the_lamp_follows_the_light(world, board):
    world.set(lux=500)
    board.run(board.function(NIGHT_LIGHT, toml=TOML))
    board.records.wait("decision", pins={"led": False})
    world.set(covered=True)
    until(lambda: led(world))
    world.set(covered=False)
    until(lambda: not led(world))
    assert board.records.of("log", level="error") == []


def test_an_unplugged_sensor_is_told_and_comes_back(world, board):
    world.set(lux=500)
    board.run(board.function(NIGHT_LIGHT, toml=TOML))
    board.records.wait("decision")
    world.set(unplugged=True)
    assert board.records.wait("sensor", ok=False)[0]["error"]
    assert not board.supervisor.sensors()["light"].ok
    world.set(unplugged=False)
    board.records.wait("sensor", ok=True)
    assert board.health().state == "running"


def test_the_lamp_does_not_flicker_at_a_switch_and_goes_out_with_the_function(world, board):
    world.set(lux=5)
    board.run(board.function(NIGHT_LIGHT, toml=TOML))
    until(lambda: led(world))
    board.run(board.function(NIGHT_LIGHT, version=2, toml=TOML))
    board.records.wait("decision", version=2)
    assert [change["level"] for change in world.history("led")].count(False) <= 1
    board.supervisor.switch(board.generation())
    until(lambda: not led(world))
