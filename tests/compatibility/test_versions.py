"""The previous release's agent and this shim, and the other way round: all that a fleet does goes on working.

The tests of a pairing share one fleet, and stand in the order in which an operator would come to them.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cloud_shim.cli import outcome
from cloud_shim.cli.outcome import Outcome
from cloud_shim.cli.release.packing import pack
from device.errors import OfflineError, RejectedError
from tests.compatibility import fleets
from tests.compatibility.fleets import BOARD, NEWCOMER, Installed, MixedFleet
from tests.support import PATIENCE, until

pytestmark = pytest.mark.e2e
LAMP = "night-light"


def function(folder: Path, name: str, code: str, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "function.toml").write_text(f'name = "{name}"\nhandler = "main:handler"\n{more}')
    (folder / "main.py").write_text(f"def handler(event, context):\n    {code}\n")
    return folder


def deploy(
    fleet: MixedFleet,
    folder: Path,
    events: int = 0,
    config: dict[str, Any] | None = None,
    device: str = BOARD,
    seconds: float = 0.2,
) -> Outcome:
    """Deploy with a short trial; gives what became of it."""
    release = fleet.client.release(pack(folder))
    generation = fleet.client.deploy(device, release, config, {"seconds": seconds, "events": events})
    return outcome.wait(fleet.client, device, generation, PATIENCE)


def call(fleet: MixedFleet, name: str, data: object = None, device: str = BOARD) -> object:
    """The function's answer; None when it is just being replaced."""
    try:
        return fleet.client.call(device, name, data)
    except (OfflineError, RejectedError):
        return None


def state(fleet: MixedFleet, name: str) -> str:
    return fleet.reported()["functions"].get(name, {}).get("state", "absent")


def decisions(fleet: MixedFleet, name: str, after: int | None = None) -> list[dict[str, Any]]:
    found = fleet.client.records(BOARD, function=name, after=after)
    return [each for each in found if each["kind"] == "decision"]


def agent(fleet: MixedFleet) -> str:
    """The version that runs for good; "" while it is on trial."""
    runtime = fleet.reported()["runtime"]
    return "" if runtime["trial"] else runtime["version"]


def is_well(fleet: MixedFleet, version: str) -> bool:
    """Whether the board runs that version of the agent for good, and its function."""
    return fleet.is_online(BOARD) and agent(fleet) == version and state(fleet, LAMP) == "running"


def test_the_two_versions_can_be_told_apart(previous: Installed) -> None:
    assert fleets.this().ships != previous.version


def test_a_board_is_let_in_by_its_token_and_runs_a_function(fleet: MixedFleet, tmp_path: Path) -> None:
    guest = function(tmp_path / "guest", "guest", "return 'here'")
    assert deploy(fleet, guest, device=NEWCOMER).good
    assert call(fleet, "guest", device=NEWCOMER) == "here"


def test_a_command_line_that_knows_no_tokens_is_told_that_this_shim_wants_one(
    fleet: MixedFleet, previous: Installed
) -> None:
    if fleet.cloud is previous:
        assert fleet.json("devices")["devices"]
        return
    environment = {**os.environ, **previous.environment, "LAMPLIGHT_URL": fleet.url, "NO_COLOR": "1"}
    for command in (["devices"], ["status"], ["logs"]):
        line = previous.python(previous.command, *command)
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, env=environment, cwd=fleet.folder)
        assert (done.returncode, done.stdout) == (5, "")
        assert "This shim wants a token" in done.stderr


def test_a_board_reports_its_version(fleet: MixedFleet) -> None:
    until(lambda: agent(fleet) == fleet.boards.version, "the board has reported its version")


def test_a_function_is_deployed_and_its_decisions_arrive(fleet: MixedFleet, previous: Installed) -> None:
    assert previous.folder is not None
    # As it is in the field: one written with `from lamplight import …` needs an agent of 0.2.0.
    assert deploy(fleet, previous.folder / "cloud_shim" / "starters" / LAMP, events=1).good
    until(lambda: decisions(fleet, LAMP), "a decision has arrived")
    fleet.client.set_world(BOARD, {"covered": True})
    until(lambda: decisions(fleet, LAMP)[-1]["pins"] == {"led": True}, "the lamp is lit in the dark")
    fleet.client.set_world(BOARD, {"covered": False})
    assert state(fleet, LAMP) == "running"


def test_a_board_looks_at_itself(fleet: MixedFleet) -> None:
    found = {each["name"]: each["status"] for each in fleet.client.doctor(BOARD)}
    assert found and set(found.values()) <= {"ok", "warn", "fail", "skip"}


def test_a_model_is_accepted(fleet: MixedFleet) -> None:
    assert deploy(fleet, fleets.ROOT / "models" / "presence").good
    assert list(fleet.reported()["models"]) == ["presence"]


def test_settings_calls_rollback_and_removal(fleet: MixedFleet, tmp_path: Path) -> None:
    code = "return [context.config['word'], event.data]"
    echo = function(tmp_path / "echo", "echo", code, '[config]\nword = "yes"\n')
    assert deploy(fleet, echo).good
    assert deploy(fleet, echo, config={"word": "no"}).good
    assert call(fleet, "echo", [1, None]) == ["no", [1, None]]
    fleet.client.rollback(BOARD)
    until(lambda: call(fleet, "echo", 7) == ["yes", 7], "the settings of before are back")
    fleet.client.remove(BOARD, "function", "echo")
    until(lambda: state(fleet, "echo") == "absent", "it is gone")


def test_a_function_that_fails_its_trial_goes_back_and_says_why(fleet: MixedFleet, tmp_path: Path) -> None:
    ticks = '[[triggers]]\ntype = "timer"\nevery = "100ms"\n'
    broken = function(tmp_path / "broken", "broken", "__import__('os')._exit(3)", ticks)
    ended = deploy(fleet, broken, seconds=60)
    assert ended.state == "REVERTED" and "crashed" in ended.reason
    assert state(fleet, LAMP) == "running"
    fleet.client.rollback(BOARD)


def test_the_agent_is_replaced_by_the_shims_and_put_back(fleet: MixedFleet) -> None:
    told = fleet.json("upgrade", BOARD)
    assert (told["state"], told["agent"]) == ("COMMITTED", fleet.cloud.ships)
    until(lambda: is_well(fleet, fleet.cloud.ships), "the board runs the shim's version, and its function")
    last = decisions(fleet, LAMP)[-1]["id"]
    until(lambda: decisions(fleet, LAMP, after=last), "its function goes on, and its records arrive")
    assert list(fleet.reported()["models"]) == ["presence"]
    fleet.client.rollback(BOARD)
    until(lambda: is_well(fleet, fleet.boards.version), "the board's own version is back, and its function")


def test_an_agent_that_cannot_work_is_given_up_for_the_one_of_the_other_version(
    fleet: MixedFleet, tmp_path: Path
) -> None:
    source = fleet.cloud.folder or fleets.ROOT
    for package in ("device", "boards"):
        shutil.copytree(source / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    code = tmp_path / "device" / "agent.py"
    code.write_text(f"raise SystemExit('no such module')\n{code.read_text()}")
    project = (fleets.ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(project.replace("\nversion = ", '\nversion = "7.7.7"  # instead of '))
    refused = fleet.run("upgrade", BOARD, "--source", str(tmp_path), code=5)
    assert "REVERTED" in refused.stderr and "ended 3 times" in refused.stderr
    until(lambda: is_well(fleet, fleet.boards.version), "the board's own version runs, and its function")
