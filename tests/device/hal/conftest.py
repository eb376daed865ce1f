"""The simulated hardware as a real process, and code run on its board in a process of its own."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from device.hal.sim.world import World

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
PATIENCE = 30.0
PRELUDE = """
import json, os, sys, time
from pathlib import Path
import boards
from device.hal.hardware import Hardware
from device.hal.sim.world import World
SOCKET = Path(sys.argv[1])
board = boards.load("lamplight/simulated")
hardware = Hardware(board, SOCKET)
world = World.connect(SOCKET)
def until(get, accept, patience=30.0):
    # The first value of get() that is accepted, or the last one.
    end = time.monotonic() + patience
    while not accept(value := get()) and time.monotonic() < end:
        time.sleep(0.01)
    return value
def give(value):
    print(json.dumps(value), flush=True)
"""


class Simulation:
    """The process `python -m device.hal.sim`, and what runs against it."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "device.hal.sim", "--socket", str(self.socket)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline()

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def spawn(self, code: str) -> "subprocess.Popen[str]":
        """Run `code` on the board, with `hardware`, `world`, `until` and `give` (a JSON value, one line) at hand."""
        command = [sys.executable, "-c", PRELUDE + textwrap.dedent(code), str(self.socket)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)

    def run(self, code: str) -> object:
        """Run `code` to its end, and give the last value that it gave."""
        process = self.spawn(code)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return json.loads(output.splitlines()[-1])


@pytest.fixture
def simulation(tmp_path):
    simulation = Simulation(tmp_path / "hw.sock")
    yield simulation
    if simulation.process.poll() is None:
        simulation.stop()


@pytest.fixture
def world(simulation):
    with World.connect(simulation.socket) as world:
        yield world


@pytest.fixture
def until():
    def until(get, accept):
        """The first value of `get` that is accepted; fails when none is within PATIENCE seconds."""
        end = time.monotonic() + PATIENCE
        while not accept(value := get()):
            assert time.monotonic() < end, value
            time.sleep(0.005)
        return value

    return until
