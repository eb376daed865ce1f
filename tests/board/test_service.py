"""The service under the board's own systemd: it is watched, confined, and still able to confine its functions."""

from pathlib import Path

import pytest

from device.users.helper import FIRST_USER, USERS
from tests.board.board import NAME, Board
from tests.board.conftest import deploy
from tests.support import until

pytestmark = pytest.mark.board

# Half a second of the processor, whatever else the board does meanwhile.
BUSY = """
import time


def handler(event, context):
    before = time.process_time()
    while time.process_time() - before < 0.5:
        pass
"""
BUSY_TOML = """
name = "busy"
handler = "main:handler"
memory = "32M"
timeout = "120s"
cpu = "20%"
"""


def properties(board: Board, *names: str) -> dict[str, str]:
    told = board.emulator.shell.run(f"systemctl show lamplight.service -p {','.join(names)}")
    return dict(line.partition("=")[::2] for line in told.splitlines())


def test_it_runs_as_its_own_user_without_any_right_and_is_watched(board: Board) -> None:
    told = properties(board, "ActiveState", "User", "WatchdogUSec", "NRestarts", "Type", "CapabilityBoundingSet")
    assert told == {
        "ActiveState": "active",
        "User": "lamplight",
        "WatchdogUSec": "2min",
        "NRestarts": "0",
        "Type": "notify",
        "CapabilityBoundingSet": "",
    }


def test_functions_are_confined_below_it_as_without_it(board: Board, night_light: Path) -> None:
    confinement = board.home.device(NAME)["reported"]["confinement"]
    assert "own root" in confinement["filesystem"], confinement
    for aspect in ("network", "system calls", "scratch", "privileges", "processes"):
        assert confinement[aspect] != "none", confinement
    board.sensor.lux = 5
    board.led_becomes(True)


def test_a_function_is_a_user_of_its_own_and_never_the_services(board: Board, night_light: Path) -> None:
    shell, group = board.emulator.shell, "/sys/fs/cgroup/system.slice/lamplight.service/fn-night-light.*"
    assert board.home.device(NAME)["reported"]["confinement"]["user"] == "own user"
    service = int(shell.run("id -u lamplight"))
    worker = f"$(head -n 1 {group}/cgroup.procs)"
    # Real, effective, saved, and that for files.
    users = set(map(int, shell.run(f"grep ^Uid: /proc/{worker}/status").split()[1:]))
    assert service not in users and len(users) == 1
    assert FIRST_USER <= users.pop() < FIRST_USER + USERS
    # It has its pins by their group, and works.
    board.sensor.lux = 5
    board.led_becomes(True)
    # Nothing of the helper stays, and nobody was refused.
    assert shell.run("systemctl is-active lamplight-users.socket") == "active"
    assert shell.run("journalctl -t lamplight-users -o cat --no-pager | grep -c refused || true") == "0"


def test_a_function_takes_no_more_of_the_processor_than_its_share(board: Board, tmp_path: Path) -> None:
    confinement = board.home.device(NAME)["reported"]["confinement"]
    assert (confinement["cpu share"], confinement["function memory"]) == ("cgroup v2", "cgroup v2")
    (tmp_path / "main.py").write_text(BUSY)
    (tmp_path / "function.toml").write_text(BUSY_TOML)
    deploy(board, tmp_path)
    shell, group = board.emulator.shell, "/sys/fs/cgroup/system.slice/lamplight.service/fn-busy.*"
    before = counted(shell.run(f"cat {group}/cpu.stat"))
    board.home.run("call", f"{NAME}/busy")
    after = counted(shell.run(f"cat {group}/cpu.stat"))
    assert shell.run(f"cat {group}/cpu.max") == "20000 100000"
    # The kernel's own account: half a second in shares of 20 ms, so it was made to wait again and again.
    assert after["usage_usec"] - before["usage_usec"] >= 500_000
    assert after["nr_throttled"] - before["nr_throttled"] >= 10
    board.home.run("remove", f"{NAME}/busy")


def counted(text: str) -> dict[str, int]:
    return {key: int(value) for key, value in (line.split() for line in text.splitlines())}


def test_the_journal_knows_how_grave_a_line_is(board: Board) -> None:
    said = board.emulator.shell.run("journalctl -u lamplight -p info -o cat --no-pager | head -5")
    assert said and not said.startswith("<")


def test_an_agent_that_is_killed_is_back_and_the_service_never_ended(board: Board) -> None:
    before = properties(board, "MainPID", "NRestarts")
    board.emulator.shell.run("pkill -KILL -u lamplight -f device.agent")
    board.goes_offline()
    board.comes_online()
    until(lambda: properties(board, "MainPID", "NRestarts") == before, "the launcher is the same")
