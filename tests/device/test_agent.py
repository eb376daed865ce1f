"""The agent as a process, with simulated hardware and no broker: it starts, ends, dies and starts again."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_shim.cli.up import ports
from cloud_shim.trust.signing import Signing
from device.hal.sim.world import World
from device.runtime.confinement.report import confinement
from tests.support import until


class Board:
    """The simulated hardware, a configuration, and agents that use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "hw.sock"
        self.state = folder / "state"
        self.config = folder / "agent.toml"
        self.processes: list[subprocess.Popen[str]] = []
        self._provision()
        self._start("device.hal.sim", "--socket", str(self.socket))
        until(self.socket.exists, "the hardware is there")
        self.world = World.connect(self.socket)

    def agent(self) -> subprocess.Popen[str]:
        return self._start("device.agent", "--config", str(self.config))

    def started(self) -> subprocess.Popen[str]:
        agent = self.agent()
        assert agent.stderr is not None
        line = agent.stderr.readline()
        assert "Generation 0 runs" in line, line
        return agent

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def _provision(self) -> None:
        director, image = Signing(self.folder / "signing").roots()
        (self.folder / "director-root.json").write_bytes(director)
        (self.folder / "image-root.json").write_bytes(image)
        (self.folder / "password").write_text("secret")
        self.config.write_text(
            f'fleet = "home"\ndevice = "desk-pi"\nboard = "lamplight/simulated"\nstate = "{self.state}"\n'
            f'roots = "{self.folder}"\nsimulation = "{self.socket}"\n[broker]\nhost = "127.0.0.1"\n'
            f'port = {ports.free()}\nusername = "desk-pi"\npassword_file = "{self.folder / "password"}"\n'
        )

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        made = subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.PIPE, text=True)
        self.processes.append(made)
        return made


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path)
    yield made
    made.close()


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_starts_with_no_broker_and_ends_when_asked(board: Board) -> None:
    agent = board.started()
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(60) == 0


def test_a_second_agent_on_the_same_state_is_refused(board: Board) -> None:
    board.started()
    second = board.agent()
    _, said = second.communicate(timeout=60)
    assert second.returncode == 5
    assert "another agent already uses" in said


def test_a_killed_agent_leaves_no_process_and_starts_again(board: Board) -> None:
    agent = board.started()
    until(lambda: children(agent.pid), "it has a zygote")
    left = children(agent.pid)
    agent.kill()
    until(lambda: all(gone(pid) for pid in left), "its children are gone")
    board.started()


def test_torn_files_do_not_keep_it_from_starting(board: Board) -> None:
    (board.state / "update").mkdir(parents=True)
    (board.state / "update" / "slots.json").write_bytes(b'{"format": 1, "fl')
    (board.state / "outbox.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 3000)
    agent = board.agent()
    assert agent.stderr is not None
    said = [agent.stderr.readline() for _ in range(2)]
    assert "unreadable" in said[0]
    assert "Generation 0 runs" in said[1]
    assert (board.state / "outbox.db.corrupt").exists()


def test_a_state_folder_that_cannot_be_made_is_said_in_one_line(board: Board) -> None:
    board.state.write_text("a file where the folder should be")
    agent = board.agent()
    _, said = agent.communicate(timeout=60)
    assert agent.returncode == 1
    assert said.startswith("error: ") and str(board.state) in said and "Traceback" not in said


def demanding(board: Board, aspects: list[str]) -> subprocess.Popen[str]:
    with board.config.open("a") as config:
        config.write(f"[confinement]\nrequire = {json.dumps(aspects)}\n")
    return board.agent()


def test_it_does_not_start_where_what_the_operator_demands_is_missing(board: Board) -> None:
    agent = demanding(board, list(confinement({})))
    missing = [aspect for aspect, how in confinement({}).items() if how == "none"]
    assert agent.stderr is not None
    said = agent.stderr.readline()
    assert ("The agent is not started" in said) == bool(missing)
    assert all(aspect in said for aspect in missing)


def test_a_demand_for_what_there_is_not_is_a_wrong_configuration(board: Board) -> None:
    agent = demanding(board, ["firewall"])
    _, said = agent.communicate(timeout=60)
    assert agent.returncode == 2
    assert "firewall" in said and "filesystem" in said
