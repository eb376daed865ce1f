"""A board whose versions of the agent are scripts that do what a test needs, under the real launcher, as processes.

The scripts speak the line in its raw form: it is a contract between versions, so no code of ours stands between.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from device.artifact import archive
from device.launcher import ledger
from device.launcher.ledger import Ledger
from tests.support import until

ROOT = Path(__file__).parents[3]
PRELUDE = """
import json, os, signal, socket, sys, time
state = {state!r}
def note(what):
    with open(state + "/journal", "a") as journal:
        journal.write({name!r} + " " + what + "\\n")
def end(number, frame):
    note("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
note("began")
line = socket.socket(fileno=int(os.environ["LAMPLIGHT_LAUNCHER"]))
heard = line.makefile("rb")
told = json.loads(heard.readline())
def say(**fields):
    line.sendall(json.dumps(fields).encode() + b"\\n")
def wait_for_the_end():
    while heard.readline():
        pass
    note("orphaned")
"""
WORK = "say(proved=told['running'])\nwait_for_the_end()\n"
MUTE = "say(waits='the lamp does not run again')\nwait_for_the_end()\n"
DIE = "raise SystemExit(1)\n"


class Board:
    """What is installed, the state folder, and launchers."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.agents = self.state / "runtime"
        self.agents.mkdir(parents=True)
        self.released = folder / "released"
        self.installed = folder / "installed"
        shutil.copytree(ROOT / "device", self.installed / "device", ignore=shutil.ignore_patterns("__pycache__"))
        self.built_in(WORK)
        self.config = folder / "agent.toml"
        self.config.write_text(
            f'fleet = "home"\ndevice = "desk-pi"\nboard = "lamplight/simulated"\nstate = "{self.state}"\n'
            'roots = "roots"\n[broker]\nhost = "localhost"\nport = 1883\nusername = "u"\npassword_file = "p"\n'
        )
        self.launchers: list[subprocess.Popen[str]] = []

    def built_in(self, script: str) -> None:
        self._write(self.installed / "device" / "agent.py", "built-in", script)

    def asking(self, version: str) -> str:
        """A script that installs `version`, asks for it and, when that has failed, works."""
        return (
            f"if {version!r} not in told['failed'] and not told['trial']:\n"
            "    import shutil\n"
            f"    if os.path.isdir({str(self.released / version)!r}):\n"
            f"        tree = {str(self.agents / version)!r}\n"
            f"        shutil.copytree({str(self.released / version)!r}, tree, dirs_exist_ok=True)\n"
            f"    say(ask={version!r}, note={{'generation': 2}})\n"
            "    told = json.loads(heard.readline())\n"
            f"    note('granted' if told['next'] == {version!r} else 'refused: ' + told['refused'])\n"
            f"    sys.exit(10 if told['next'] == {version!r} else 0)\n" + WORK
        )

    def version(self, name: str, script: str) -> str:
        """A version that lies on the board; gives its digest."""
        digest = self.release(name, script)
        shutil.copytree(self.released / digest, self.agents / digest)
        return digest

    def release(self, name: str, script: str) -> str:
        """A version that can be brought to the board; gives its digest."""
        tree = self.released / name
        (tree / "device").mkdir(parents=True)
        (tree / "device" / "__init__.py").write_text("")
        self._write(tree / "device" / "agent.py", name, script)
        digest = archive.digest(tree)
        tree.rename(self.released / digest)
        return digest

    def launch(self, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> subprocess.Popen[str]:
        made = subprocess.Popen(
            [sys.executable, "-P", "-m", "device.launcher", "--config", str(self.config), *arguments],
            env={"PYTHONPATH": str(self.installed), **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.launchers.append(made)
        return made

    def journal(self) -> list[str]:
        file = self.state / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def ledger(self) -> Ledger:
        return ledger.load(self.agents / "ledger.json")

    def until_said(self, line: str, times: int = 1) -> None:
        until(lambda: self.journal().count(line) >= times, f"{line} {times} times in {self.journal()}")

    def close(self) -> None:
        for each in self.launchers:
            if each.poll() is None:
                each.send_signal(signal.SIGTERM)
            each.communicate(timeout=60)

    def _write(self, file: Path, name: str, script: str) -> None:
        file.write_text(PRELUDE.format(state=str(self.state), name=name) + script)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path)
    yield made
    made.close()
