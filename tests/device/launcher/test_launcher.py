"""The launcher as a process: it ends with a version that works, whatever the new one does and whoever is killed."""

import contextlib
import errno
import os
import random
import signal
import time
from pathlib import Path
from typing import NoReturn

import pytest

from device import durable
from device.launcher.__main__ import Launcher
from device.launcher.ledger import BUILT_IN, Ledger, Trial, save
from tests.device.launcher.conftest import DIE, MUTE, WORK, Board
from tests.support import until


def test_a_version_that_proves_itself_replaces_the_one_before(board: Board) -> None:
    new = board.release("new", WORK)
    board.built_in(board.asking(new))
    board.launch()
    until(lambda: board.ledger() == Ledger(active=new, previous=BUILT_IN), "the new version is active")
    assert board.journal() == ["built-in began", "built-in granted", "new began"]


def test_a_version_that_dies_at_its_start_is_given_up_after_its_tries(board: Board) -> None:
    new = board.release("new", DIE)
    board.built_in(board.asking(new))
    board.launch()
    board.until_said("built-in began", 2)
    assert board.journal().count("new began") == 3
    failure = board.ledger().failed[new]
    assert "ended 3 times" in failure.reason
    assert failure.note == {"generation": 2}
    until(lambda: not (board.agents / new).exists(), "its files are removed")


@pytest.mark.parametrize("script", [MUTE, "while True:\n    pass\n"])
def test_a_version_that_runs_and_does_not_prove_itself_is_given_up_in_time(board: Board, script: str) -> None:
    new = board.release("new", script)
    board.built_in(board.asking(new))
    board.launch("--proof", "2")
    board.until_said("built-in began", 2)
    assert "did not prove itself within 2 s" in board.ledger().failed[new].reason
    assert ("the lamp does not run" in board.ledger().failed[new].reason) == (script == MUTE)
    assert board.journal().count("new began") == 1


def test_a_damaged_version_on_trial_is_not_started(board: Board) -> None:
    new = board.version("new", WORK)
    save(board.agents / "ledger.json", Ledger(trial=Trial(new, 3, {})))
    (board.agents / new / "device" / "agent.py").write_text("print('something else')")
    board.launch()
    board.until_said("built-in began")
    assert "damaged" in board.ledger().failed[new].reason


def test_a_damaged_active_version_gives_way_to_the_one_before_with_the_reason(board: Board) -> None:
    old, new = board.version("old", WORK), board.version("new", WORK)
    save(board.agents / "ledger.json", Ledger(active=new, previous=old))
    (board.agents / new / "device" / "agent.py").unlink()
    board.launch()
    board.until_said("old began")
    assert (board.ledger().active, board.ledger().failed) == (old, {})
    assert "damaged" in board.ledger().lost


def test_where_every_version_is_damaged_the_built_in_one_runs(board: Board) -> None:
    save(board.agents / "ledger.json", Ledger(active="aa" * 32, previous="bb" * 32))
    board.launch()
    board.until_said("built-in began")
    assert board.ledger().active == BUILT_IN


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "active": "../../etc"}', b"\xff"])
def test_a_damaged_ledger_starts_the_built_in_version(board: Board, data: bytes) -> None:
    (board.agents / "ledger.json").write_bytes(data)
    board.launch()
    board.until_said("built-in began")


def test_an_agent_is_ended_in_order_when_the_launcher_is_asked_to_end(board: Board) -> None:
    launcher = board.launch()
    board.until_said("built-in began")
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(60) == 0
    assert board.journal() == ["built-in began", "built-in ended"]


def test_a_trial_that_is_interrupted_in_order_keeps_its_tries(board: Board) -> None:
    new = board.version("new", MUTE)
    save(board.agents / "ledger.json", Ledger(trial=Trial(new, 3, {})))
    for number in range(5):
        launcher = board.launch()
        board.until_said("new began", number + 1)
        launcher.send_signal(signal.SIGTERM)
        assert launcher.wait(60) == 0
    assert board.ledger().trial == Trial(new, 3, {})


def test_a_killed_launcher_leaves_no_agent_and_another_one_goes_on(board: Board) -> None:
    launcher = board.launch()
    board.until_said("built-in began")
    launcher.kill()
    launcher.wait()
    board.launch()
    board.until_said("built-in began", 2)


def test_an_agent_that_dies_is_started_again(board: Board) -> None:
    board.built_in("if not os.path.exists(state + '/once'):\n    open(state + '/once', 'w')\n    os.abort()\n" + WORK)
    board.launch()
    board.until_said("built-in began", 2)


@pytest.mark.parametrize("code", [2, 3, 5])
def test_an_error_that_another_start_would_not_help_is_passed_on(board: Board, code: int) -> None:
    board.built_in(f"sys.exit({code})\n")
    assert board.launch().wait(60) == code


def test_an_agent_that_ends_well_without_being_asked_to_is_started_again(board: Board) -> None:
    board.built_in("sys.exit(0)\n")
    board.launch()
    board.until_said("built-in began", 2)


def test_a_second_launcher_is_refused(board: Board) -> None:
    board.launch()
    board.until_said("built-in began")
    second = board.launch()
    _, said = second.communicate(timeout=60)
    assert second.returncode == 5
    assert "another launcher" in said


@pytest.mark.parametrize(
    "said",
    [
        "say(proved='')",
        "say(proved=None)",
        "say(proved='ab' * 32)",
        "line.sendall(b'proved\\n')",
        "line.sendall(b'[' * 70000 + b'\\n')",
        "line.sendall(bytes(200000))",
        "say(ask='../../../etc')",
        "say(ask='ab' * 32)",
        "say(ask=7)",
        "sys.exit(10)",
    ],
)
def test_what_is_no_proof_proves_nothing(board: Board, said: str) -> None:
    new = board.version("new", f"{said}\nwait_for_the_end()\n")
    save(board.agents / "ledger.json", Ledger(trial=Trial(new, 1, {})))
    board.launch("--proof", "1")
    board.until_said("built-in began")
    assert board.ledger().active == BUILT_IN
    assert list(board.ledger().failed) == [new]


def test_an_artifact_that_is_not_there_is_not_granted(board: Board) -> None:
    board.built_in(board.asking("ab" * 32))
    board.launch()
    until(lambda: any("refused: Agent abab" in line for line in board.journal()), "it is refused")
    assert board.ledger() == Ledger()


MOMENTS = ("built-in began", "built-in granted", "new began", "new proved")


@pytest.mark.parametrize("victims", ["launcher", "agent", "both"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_moment_of_an_upgrade_the_new_version_runs_afterwards(
    board: Board, moment: str, victims: str
) -> None:
    new = board.release("new", "say(proved=told['running'])\nnote('proved')\nwait_for_the_end()\n")
    board.built_in(board.asking(new))
    launcher = board.launch()
    board.until_said(moment)
    _kill_some(launcher.pid, victims)
    if victims == "agent":
        launcher.send_signal(signal.SIGTERM)
    launcher.communicate(timeout=60)
    board.launch()
    until(lambda: board.ledger().active == new, f"the new version is active: {board.ledger()}")
    until(lambda: board.journal()[-1] == "new proved", "it runs")


@pytest.mark.parametrize("victims", ["launcher", "agent", "both"])
def test_killed_again_and_again_while_a_bad_version_is_on_trial_the_old_one_runs_afterwards(
    board: Board, victims: str
) -> None:
    new = board.release("new", MUTE)
    board.built_in(board.asking(new))
    for number in range(1, 4):
        launcher = board.launch()
        board.until_said("new began", number)
        _kill_some(launcher.pid, victims)
        # Ends at once what is not dead: it must not be started once more, for each start counts.
        launcher.kill()
        launcher.communicate()
    board.launch("--proof", "2")
    until(lambda: new in board.ledger().failed, f"the new version is given up: {board.ledger()}")
    until(lambda: board.journal()[-1] == "built-in began", "the old one runs")


@pytest.mark.parametrize("good", [True, False])
def test_killed_at_random_moments_of_an_upgrade_the_old_or_the_new_version_runs(board: Board, good: bool) -> None:
    new = board.release("new", WORK if good else DIE)
    board.built_in(board.asking(new))
    choice = random.Random(7)
    for _ in range(12):
        launcher = board.launch("--proof", "20")
        time.sleep(choice.uniform(0.0, 1.0))
        _kill_some(launcher.pid, choice.choice(["launcher", "agent", "both"]))
        launcher.send_signal(signal.SIGTERM)
        launcher.communicate(timeout=60)
    board.launch()
    until(lambda: _settled(board, new), f"one of them stays: {board.ledger()}")


def _settled(board: Board, new: str) -> bool:
    now = board.ledger()
    works = now.trial is None and (now.active == new or new in now.failed)
    return works and board.journal()[-1] in ("new began", "built-in began")


def _kill_some(launcher: int, victims: str) -> None:
    try:
        agents = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    except FileNotFoundError:
        agents = []
    for pid in [*([launcher] if victims != "agent" else []), *(map(int, agents) if victims != "launcher" else [])]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_start_that_cannot_be_counted_is_not_made(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the version on trial waits, and the one that has proved itself runs."""
    new = board.version("new", WORK)
    save(board.agents / "ledger.json", Ledger(trial=Trial(new, 3, {})))
    full = FullDisk()
    monkeypatch.setattr(durable, "disk", full)
    launcher = Launcher([], board.state)
    assert launcher.choose() == BUILT_IN
    monkeypatch.undo()
    assert launcher.choose() == new
    assert board.ledger().trial == Trial(new, 2, {})


class FullDisk(durable.Disk):
    """Nothing can be made on it."""

    def create(self, path: Path, mode: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")
