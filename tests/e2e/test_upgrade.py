"""The agent replaces itself on a running fleet; a version that does not prove itself is given up by the board alone."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

ROOT = Path(__file__).parents[2]


def source(into: Path, version: str, agent: str = "") -> Path:
    """This checkout's agent under another version; `agent` is put at the end of the imports of agent.py."""
    for package in ("device", "boards"):
        shutil.copytree(ROOT / package, into / package, ignore=shutil.ignore_patterns("__pycache__"))
    project = (ROOT / "pyproject.toml").read_text()
    changed, times = re.subn(r'^version = ".*"$', f'version = "{version}"', project, flags=re.MULTILINE)
    assert times == 1
    (into / "pyproject.toml").write_text(changed)
    code = (into / "device" / "agent.py").read_text()
    (into / "device" / "agent.py").write_text(code.replace("REPORT_PERIOD = 1.0", f"REPORT_PERIOD = 1.0\n{agent}"))
    return into


def agent(fleet: Fleet) -> tuple[str, bool]:
    told = fleet.device(DEVICE)["reported"]
    return told["agent"], told["runtime"]["trial"]


@pytest.fixture
def upgraded(fleet: Fleet, night_light: Path, tmp_path: Path) -> Iterator[str]:
    """The device runs version 7.7.7; afterwards the built-in one again."""
    told = fleet.json("upgrade", DEVICE, "--source", str(source(tmp_path / "good", "7.7.7")))
    assert (told["state"], told["agent"]) == ("COMMITTED", "7.7.7")
    yield told["sha256"]
    fleet.run("rollback", DEVICE)
    until(lambda: agent(fleet)[0] != "7.7.7", "the built-in agent runs again")


def test_an_upgraded_agent_runs_the_functions_and_is_reported(fleet: Fleet, upgraded: str) -> None:
    until(lambda: agent(fleet) == ("7.7.7", False), "the new version is reported")
    fleet.world().set(covered=True)
    fleet.led_becomes(True)
    fleet.world().set(covered=False)
    fleet.led_becomes(False)
    assert "7.7.7" in fleet.run("status", DEVICE).stdout
    assert (fleet.state / "devices" / DEVICE / "state" / "runtime" / upgraded).is_dir()


def test_a_version_that_dies_at_import_is_given_up_by_the_board(fleet: Fleet, upgraded: str, tmp_path: Path) -> None:
    broken = source(tmp_path / "broken", "7.7.8", 'raise SystemExit("no such module")')
    refused = fleet.run("upgrade", DEVICE, "--source", str(broken), code=5)
    assert "REVERTED" in refused.stderr and "ended 3 times" in refused.stderr
    until(lambda: agent(fleet) == ("7.7.7", False), "the version before runs")
    fleet.world().set(covered=True)
    fleet.led_becomes(True)
    fleet.run("rollback", DEVICE)


def test_a_version_that_this_board_cannot_run_is_refused_before_anything_is_switched(
    fleet: Fleet, night_light: Path, tmp_path: Path
) -> None:
    needy = source(tmp_path / "needy", "7.7.9")
    project = (needy / "pyproject.toml").read_text()
    (needy / "pyproject.toml").write_text(project.replace('"tuf>=6"', '"tuf>=600"'))
    before = fleet.device(DEVICE)["reported"]["boot"]
    refused = fleet.run("upgrade", DEVICE, "--source", str(needy), code=5)
    assert "REJECTED" in refused.stderr and "tuf>=600" in refused.stderr
    assert fleet.device(DEVICE)["reported"]["boot"] == before
    fleet.run("rollback", DEVICE)
