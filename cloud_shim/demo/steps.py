"""What the demo shows: the steps, in order, each an action and a check on the simulated hardware.

It starts and stops processes only where a step is about that; the rest is session.py's.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import models
from cloud_shim import outcome, starters
from cloud_shim.client import Client
from cloud_shim.demo import backlog
from cloud_shim.demo.bench_top import BRIGHT, BenchTop, await_that
from cloud_shim.demo.transcript import Step
from cloud_shim.outcome import Outcome
from cloud_shim.packing import pack
from cloud_shim.up.home import STARTER, Home
from device.errors import LamplightError
from device.hal.sim.world import World

_PATIENCE = 60.0  # seconds for a deployment with its trial, on a busy machine
_CRASH = '''"""Ends its process at the first event, as a fault in native code would."""

import os


def handler(event, context):
    os.abort()
'''


class Demo:
    """The steps for `home`, with functions that are edited in `workshop`, a folder of its own."""

    def __init__(self, home: Home, workshop: Path) -> None:
        self._home = home
        self._workshop = workshop
        self._folder = workshop / STARTER
        self._cut_at = 0

    def steps(self) -> list[Step]:
        """All of them, in order; each builds on those before."""
        return [
            Step("start a broker, the shim and a simulated board with night-light", self._start),
            Step("cover the sensor: the LED lights", self._cover),
            Step("uncover it: the LED goes out", self._uncover),
            Step("invert the code and deploy: covered, the LED is out", self._invert),
            Step("set it back and deploy: covered, the LED lights", self._set_back),
            Step("deploy the model presence", self._model),
            Step("deploy presence-light: the LED follows people", self._presence_light),
            Step("cut the broker: light and inference are still right", self._cut),
            Step("restart the agent offline: still right", self._restart),
            Step("the broker is back: the backlog arrives complete", self._reconnect),
            Step("ship a function that crashes: reverted by itself, still right", self._crash),
        ]

    def _start(self) -> str:
        self._home.start()
        shutil.copytree(starters.path(STARTER), self._folder, ignore=shutil.ignore_patterns("__pycache__"))
        end = self._outcome(lambda client: client.device(self._home.device)["desired"]["generation"])
        return f"generation is {end.state}"

    def _cover(self) -> str:
        self._bench(BenchTop.cover)
        self._bench(lambda bench: bench.expect_led(True, "with the sensor covered"))
        return ""

    def _uncover(self) -> str:
        self._bench(lambda bench: bench.light(BRIGHT))
        self._bench(lambda bench: bench.expect_led(False, "when the sensor was uncovered"))
        return ""
