"""The real launcher and the real agent on a simulated board without any broker: who runs after what."""

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_shim.cli.up import ports
from device.artifact import archive
from device.errors import OfflineError
from device.hal.sim.world import World
from device.launcher import ledger
from device.launcher.ledger import BUILT_IN, Ledger, Trial
from tests.device.harness import Cloud, Device, function_files
from tests.support import PATIENCE, child_of, crowding, until

ROOT = Path(__file__).parents[2]
LIT = """
[[triggers]]
type = "timer"
every = "50ms"
[pins.led]
direction = "out"
safe = false
"""
LIGHT = b"def handler(event, context):\n    context.pins['led'].value = True\n"
NOTE = {"generation": 2, "functions": ["lamp"]}


class Board:
    """A board on which generation 1, a function that lights the LED, was installed by the update engine."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.agents = self.state / "runtime"
        self.agents.mkdir(parents=True)
        self.socket = folder / "hw.sock"
        self._config = folder / "agent.toml"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port = ports.free()
        cloud = Cloud(folder)
        self._install(cloud)
        (folder / "password").write_text("secret")
        self._config.write_text(
            f'fleet = "home"\ndevice = "desk-pi"\nboard = "lamplight/simulated"\nstate = "{self.state}"\n'
            f'roots = "{cloud.roots}"\nsimulation = "{self.socket}"\n[broker]\nhost = "127.0.0.1"\n'
            f'port = {self.port}\nusername = "desk-pi"\npassword_file = "{folder / "password"}"\n'
        )
        self._start("device.hal.sim", "--socket", str(self.socket))
        until(self._reached, "the hardware answers")

    def on_trial(self, file: str = "device/version.py", old: str = "", new: str = "") -> str:
        """This checkout's agent, changed in one place, lies on the board and is on trial; gives its digest."""
        tree = self.agents / "new"
        for package in ("device", "boards"):
            shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        code = (tree / file).read_text()
        assert old in code
        (tree / file).write_text(code.replace(old, new, 1))
        digest = archive.digest(tree)
        tree.rename(self.agents / digest)
        ledger.save(self.agents / "ledger.json", Ledger(trial=Trial(digest, 3, NOTE)))
        return digest

    def launch(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self._start("device.launcher", "--config", str(self._config), *arguments)

    def ledger(self) -> Ledger:
        return ledger.load(self.agents / "ledger.json")

    def led_becomes(self, lit: bool) -> None:
        until(lambda: self.world.state()["pins"]["led"] is lit, f"the LED is {lit}")  # type: ignore[index]

    def close(self) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def _reached(self) -> bool:
        # The socket is there a moment before somebody listens at it.
        try:
            self.world = World.connect(self.socket)
        except OfflineError:
            return False
        return True

    def _install(self, cloud: Cloud) -> None:
        device = Device(self.state / "update", cloud)
        device.boot()
        device.deploy(cloud.desired(1, cloud.release(function_files(body=LIGHT, extra=LIT))))
        device.engine.stop()

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        made = subprocess.Popen([sys.executable, "-m", module, *arguments])
        self._processes.append(made)
        return made


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path)
    yield made
    made.close()


def test_a_new_version_that_runs_the_functions_offline_proves_itself(board: Board) -> None:
    new = board.on_trial("device/update/agent/proof.py", "OFFLINE = 30.0", "OFFLINE = 0.5")
    board.launch()
    until(lambda: board.ledger() == Ledger(active=new, previous=BUILT_IN), "it proved itself")
    board.led_becomes(True)


def test_a_new_version_whose_link_is_broken_is_given_up_where_the_broker_s_port_answers(board: Board) -> None:
    version = board.on_trial("device/update/agent/proof.py", "OFFLINE = 30.0", "OFFLINE = 6.0")
    # It takes connections and never says a word of MQTT: to a version that cannot, every broker is so.
    with socket.create_server(("127.0.0.1", board.port), backlog=64):
        proof = 15 * crowding()
        board.launch("--proof", f"{proof:.0f}")
        until(lambda: version in board.ledger().failed, "it is given up", PATIENCE + 2 * proof)
    assert "whose port answers" in board.ledger().failed[version].reason
    assert board.ledger().active == BUILT_IN
    board.led_becomes(True)


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("device/update/installed.py", "self._runner.resume(generation)", "pass", "lamp does not run again"),
        ("device/update/agent/proof.py", "OFFLINE = 30.0", "OFFLINE = 1e9", "not connected"),
        ("device/agent.py", "import boards", "import no_boards", "ended 3 times"),
        (
            "device/agent.py",
            "while not self._stopping:",
            "while True:\n            continue\n        while False:",
            "prove",
        ),
    ],
    ids=["runs no function", "never connects", "dies at import", "hangs"],
)
def test_a_new_version_that_does_not_do_is_given_up_and_the_old_one_lights_the_lamp(
    board: Board, file: str, old: str, new: str, reason: str
) -> None:
    version = board.on_trial(file, old, new)
    proof = 6 * crowding()
    board.launch("--proof", f"{proof:.0f}")
    until(lambda: version in board.ledger().failed, "it is given up", PATIENCE + 2 * proof)
    assert reason in board.ledger().failed[version].reason
    board.world.set(covered=True)
    board.led_becomes(True)
    assert board.ledger().active == BUILT_IN


def test_the_lamp_is_safe_when_the_launcher_is_asked_to_end(board: Board) -> None:
    launcher = board.launch()
    board.led_becomes(True)
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(60) == 0
    assert board.world.state()["pins"]["led"] is False  # type: ignore[index]


def test_a_killed_launcher_takes_its_agent_along_in_order_and_the_next_one_goes_on(board: Board) -> None:
    launcher = board.launch()
    board.led_becomes(True)
    agent = child_of(launcher.pid)
    launcher.kill()
    board.led_becomes(False)
    until(lambda: not Path(f"/proc/{agent}").exists(), "the agent has ended")
    board.launch()
    board.led_becomes(True)
