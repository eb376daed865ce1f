"""The steps of the demo, in order, each an action and a check on the simulated hardware.

Some steps are about starting and stopping processes; the other starts and stops are session.py's.
"""

import shutil
import time
from pathlib import Path
from typing import Any

import models
from cloud_shim.cli import outcome, starters
from cloud_shim.cli.client import Client
from cloud_shim.cli.demo import backlog
from cloud_shim.cli.demo.bench_top import BRIGHT, BenchTop
from cloud_shim.cli.demo.transcript import Step
from cloud_shim.cli.release.packing import pack
from cloud_shim.cli.release.pushing import push
from cloud_shim.cli.up.home import STARTER, Home
from device.errors import LamplightError
from device.hal.sim.link import Link
from device.hal.sim.world import World

_PATIENCE = 60.0  # seconds for a deployment with its trial, on a busy machine
_POLL = 0.2  # seconds
_PAGE = 1000  # records
_CRASH = '''"""Ends its process at the first event, as a fault in native code would."""

import os


def handler(event, context):
    os.abort()
'''


class Demo:
    """The steps for `home`, with functions edited in `workshop`, a folder of its own."""

    def __init__(self, home: Home, workshop: Path) -> None:
        self._home = home
        self._bench = BenchTop(World(Link(home.files.socket)))
        self._workshop = workshop
        self._function = workshop / STARTER
        self._cut_id = 0

    def steps(self) -> list[Step]:
        """All of them, in order; each builds on those before."""
        return [
            Step("start a broker, the shim and a simulated board with night-light", self._start),
            Step("cover the sensor: the LED lights", self._cover),
            Step("uncover it: the LED goes out", self._uncover),
            Step("invert the code and deploy: covered, the LED is out", self._invert),
            Step("set it back and deploy: covered, the LED lights", self._set_back),
            Step("deploy the model presence", self._model),
            Step("deploy code that uses it: the LED follows people in the dark", self._presence_light),
            Step("cut the broker: light and inference are still right", self._cut),
            Step("restart the agent offline: still right", self._restart),
            Step("the broker is back: the backlog arrives complete", self._reconnect),
            Step("ship a function that crashes: reverted by itself, still right", self._crash),
        ]

    def _start(self) -> str:
        self._home.start()
        shutil.copytree(starters.path(STARTER), self._function, ignore=shutil.ignore_patterns("__pycache__"))
        with self._client() as client:
            generation = client.device(self._home.device)["desired"]["generation"]
            return self._committed(client, generation)

    def _cover(self) -> str:
        self._bench.cover()
        self._bench.expect_led(True, "with the sensor covered")
        return ""

    def _uncover(self) -> str:
        self._bench.light(BRIGHT)
        self._bench.expect_led(False, "when the sensor was uncovered")
        return ""

    def _invert(self) -> str:
        self._bench.cover()
        self._bench.expect_led(True, "with the sensor covered")
        self._edit("<", ">=")
        return self._deploy_and_see(False, "with the sensor covered and the code inverted")

    def _set_back(self) -> str:
        self._edit(">=", "<")
        return self._deploy_and_see(True, "with the sensor covered and the code set back")

    def _model(self) -> str:
        with self._client() as client:
            return self._committed(client, self._deploy(client, Path(models.__path__[0]) / "presence"))

    def _presence_light(self) -> str:
        """presence-light as a new version of night-light: only one function can drive the LED."""
        shutil.copytree(starters.path("presence-light"), self._function, dirs_exist_ok=True)
        manifest = self._function / "function.toml"
        manifest.write_text(_replaced(manifest.read_text(), 'name = "presence-light"', f'name = "{STARTER}"'))
        with self._client() as client:
            remark = self._committed(client, self._deploy(client, self._function))
        self._bench.follows_people()
        return remark

    def _cut(self) -> str:
        with self._client() as client:
            self._cut_id = client.records(self._home.device, limit=1)[-1]["id"]
        self._home.broker.kill()
        self._bench.follows_people()
        return ""

    def _restart(self) -> str:
        self._home.agent.stop()
        self._home.agent.start()
        self._bench.follows_people()
        return ""

    def _reconnect(self) -> str:
        back = time.time()
        self._home.start_broker()
        deadline = time.monotonic() + _PATIENCE
        with self._client() as client:
            while found := backlog.problems(self._since_cut(client), back):
                if time.monotonic() > deadline:
                    raise LamplightError("the backlog is not complete", "; ".join(found[:3]))
                time.sleep(_POLL)
            return backlog.summary(self._since_cut(client))

    def _crash(self) -> str:
        crashing = self._workshop / "crashing"
        shutil.copytree(self._function, crashing)
        (crashing / "main.py").write_text(_CRASH)
        with self._client() as client:
            generation = self._deploy(client, crashing)
            end = outcome.wait(client, self._home.device, generation, _PATIENCE)
        if end.state != "REVERTED":
            raise LamplightError(f"generation {generation} crashes, and is {end.state}", end.reason)
        self._bench.follows_people()
        return end.reason

    def _client(self) -> Client:
        return Client(self._home.url)

    def _edit(self, old: str, new: str) -> None:
        main = self._function / "main.py"
        main.write_text(_replaced(main.read_text(), old, new))

    def _deploy(self, client: Client, folder: Path) -> int:
        return client.deploy(self._home.device, push(client, pack(folder)))

    def _deploy_and_see(self, lit: bool, when: str) -> str:
        """Deploy the function; the LED changes, and the device keeps the new version."""
        with self._client() as client:
            started = time.monotonic()
            generation = self._deploy(client, self._function)
            changed = self._bench.expect_led(lit, when) - started
            return f"LED changed {changed:.2f} s after the deploy; {self._committed(client, generation)}"

    def _committed(self, client: Client, generation: int) -> str:
        end = outcome.wait(client, self._home.device, generation, _PATIENCE)
        if not end.good:
            raise LamplightError(f"generation {generation} is {end.state}", end.reason)
        return f"generation {generation} is {end.state}"

    def _since_cut(self, client: Client) -> list[dict[str, Any]]:
        """Every record received since the broker was cut, in the order of arrival."""
        found: list[dict[str, Any]] = []
        while page := client.records(self._home.device, limit=_PAGE, after=found[-1]["id"] if found else self._cut_id):
            found += page
        return found


def _replaced(text: str, old: str, new: str) -> str:
    """`text` with `new` for `old`. `old` must be there exactly once: a demo of no change would prove nothing."""
    if text.count(old) != 1:
        raise LamplightError("The starter is not as the demo expects it", f"{old!r} is not in it exactly once")
    return text.replace(old, new)
