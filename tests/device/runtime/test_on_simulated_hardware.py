"""The runtime on the simulated board: the real driver in its own processes, the LED seen from outside."""

import subprocess
import sys

import pytest
from runtime_bench import Bench, until

import boards
from device.errors import LamplightError
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


LIT = """
def handler(event, context):
    context.pins["led"].value = not {safe}
    if event.data == "crash":
        import os
        os._exit(1)
"""
LED = """
[pins.led]
direction = "out"
safe = {safe}
"""


def driven(world):
    """The levels that the LED's line had as an output, one after the other."""
    return [change["level"] for change in world.history("led") if change["direction"] == "output"]


@pytest.mark.parametrize("safe", [True, False])
def test_an_output_is_never_anything_but_safe_until_its_function_drives_it_and_again_afterwards(world, board, safe):
    toml = LED.format(safe=str(safe).lower())
    board.run(board.function(LIT.format(safe=safe), toml=toml))
    assert driven(world) == [safe]
    board.supervisor.call("f", None)
    assert driven(world) == [safe, not safe]
    with pytest.raises(LamplightError):
        board.supervisor.call("f", "crash")
    until(lambda: led(world) is safe)
    board.records.wait("worker", 2, what="started")
    board.supervisor.call("f", None)
    board.run(board.function(LIT.format(safe=safe), version=2, toml=toml))
    board.supervisor.switch(board.generation())
    until(lambda: led(world) is safe)
    assert driven(world) == [safe, not safe, safe, not safe, safe]


DRIVER = '''
"""A driver of the function's own for the TSL2561, as CircuitPython programs have them."""


class Light:
    def __init__(self, i2c, address=0x39):
        self._i2c, self._address = i2c, address
        self._write(0x80, 0x03)

    def _write(self, register, value):
        while not self._i2c.try_lock():
            pass
        try:
            self._i2c.writeto(self._address, bytes([register, value]))
        finally:
            self._i2c.unlock()

    def identity(self):
        answer = bytearray(1)
        while not self._i2c.try_lock():
            pass
        try:
            self._i2c.writeto_then_readfrom(self._address, bytes([0x8A]), answer)
        finally:
            self._i2c.unlock()
        return answer[0]

    def broadband(self):
        answer = bytearray(2)
        while not self._i2c.try_lock():
            pass
        try:
            self._i2c.writeto_then_readfrom(self._address, bytes([0xAC]), answer)
        finally:
            self._i2c.unlock()
        return int.from_bytes(answer, "little")
'''
RAW = """
import board
import light

sensor = light.Light(board.I2C())


def handler(event, context):
    return [sensor.identity() >> 4, sensor.broadband()]
"""


def test_a_function_brings_its_own_driver_and_leases_the_bus(world, board):
    world.set(lux=300)
    function = board.function(RAW, toml="[buses.i2c]\n")
    (function.path / "light.py").write_text(DRIVER)
    board.run(function)
    part, bright = until(lambda: (read := board.supervisor.call("f", None)) and read[1] and read)
    assert part == 0x5  # TSL2561T/FN/CL (TAOS059N, ID register)
    world.set(lux=5)
    until(lambda: board.supervisor.call("f", None)[1] < bright)


def test_a_lamp_does_not_stay_lit_by_the_last_reading_of_a_sensor_that_is_gone(world, board):
    board.run(board.function(NIGHT_LIGHT, toml=TOML))
    world.set(lux=5)
    until(lambda: led(world))
    world.set(unplugged=True)
    until(lambda: not led(world))
    assert board.supervisor.health()["f"].crashes == 0
    world.set(unplugged=False)
    until(lambda: led(world))
