"""Safe mode under the real launcher: reached when start after start is cut short, told, and ended by something new."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from device.launcher import starts
from device.launcher.starts import MOST, Starts
from tests.device.launcher.conftest import Board
from tests.support import until

SAY = "note('safe' if told['safe'] else 'normal')\nsay(alive=True)\nwait_for_the_end()\n"
FRESH = "note('safe')\nsay(fresh=True)\nwhile json.loads(heard.readline())['safe']:\n    pass\nnote('fresh')\n"


def count(board: Board) -> Starts:
    return starts.load(board.agents / "starts.json")


def cut(board: Board, launcher: subprocess.Popen[str], victim: str) -> None:
    """The board loses power: launcher and agent are gone at once, in either order."""
    agents = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    pids = [launcher.pid, *map(int, agents)]
    for pid in pids if victim == "launcher" else reversed(pids):
        os.kill(pid, signal.SIGKILL)
    launcher.communicate(timeout=60)


@pytest.mark.parametrize("victim", ["launcher", "agent"])
def test_a_board_that_goes_down_again_and_again_starts_without_functions(board: Board, victim: str) -> None:
    board.built_in(SAY)
    for number in range(1, MOST + 1):
        launcher = board.launch()
        board.until_said("built-in normal", number)
        assert count(board).count == number
        cut(board, launcher, victim)
    board.launch()
    board.until_said("built-in safe")
    assert board.journal().count("built-in normal") == MOST


def test_power_lost_before_the_agent_has_begun_counts_too(board: Board) -> None:
    board.built_in(SAY)
    for number in range(1, MOST + 1):
        launcher = board.launch()
        until(lambda at=number: (board.agents / "starts.json").exists() and count(board).count >= at, "it is counted")
        cut(board, launcher, "launcher")
    board.launch()
    board.until_said("built-in safe")


def test_a_start_that_lasts_forgets_those_that_failed(board: Board) -> None:
    board.built_in(SAY)
    starts.save(board.agents / "starts.json", Starts(MOST - 1, 3, "earlier"))
    board.launch("--settled", "0.2")
    board.until_said("built-in normal")
    until(lambda: count(board) == Starts(), "they are forgotten")


def test_a_board_in_safe_mode_stays_in_it_and_says_why(board: Board) -> None:
    board.built_in("note(told['safe'])\nwait_for_the_end()\n")
    starts.save(board.agents / "starts.json", Starts(MOST, 4, "earlier", safe=True))
    board.launch("--settled", "0.1")
    board.until_said(f"built-in {count(board).reason}")
    assert count(board).safe


def test_something_new_ends_it_durably(board: Board) -> None:
    board.built_in(FRESH + "wait_for_the_end()\n")
    starts.save(board.agents / "starts.json", Starts(MOST, 4, "earlier", safe=True))
    launcher = board.launch()
    board.until_said("built-in fresh")
    cut(board, launcher, "agent")
    assert count(board) == Starts()


def test_killed_while_it_is_ended_the_board_is_in_it_or_out_of_it(board: Board) -> None:
    board.built_in("note('began to end it')\nsay(fresh=True)\nwait_for_the_end()\n")
    before = Starts(MOST, 4, "earlier", safe=True)
    starts.save(board.agents / "starts.json", before)
    launcher = board.launch()
    board.until_said("built-in began to end it")
    cut(board, launcher, "launcher")
    assert count(board) in (before, Starts())


def test_a_damaged_count_starts_the_functions(board: Board) -> None:
    board.built_in(SAY)
    (board.agents / "starts.json").write_bytes(b"\x00" * 20)
    board.launch()
    board.until_said("built-in normal")


def test_a_wrong_configuration_is_no_boot_that_failed(board: Board) -> None:
    board.built_in("sys.exit(2)\n")
    for _ in range(MOST + 1):
        assert board.launch().wait(60) == 2
    assert count(board) == Starts()


def test_the_service_manager_hears_of_the_start_and_that_it_goes_round(board: Board, tmp_path: Path) -> None:
    board.built_in(SAY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        board.launch(environment={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"})
        heard: set[bytes] = set()
        while not {b"READY=1", b"WATCHDOG=1"} <= heard:
            heard.add(manager.recv(4096))
