"""A board that went down again and again: it comes up without functions, says so, and a deployment ends that."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.launcher import starts
from device.launcher.starts import MOST, Starts
from tests.e2e.conftest import DEVICE, LAMPLIGHT, Fleet
from tests.support import until


class Looped(Fleet):
    """A fleet whose board makes no decision."""

    def ready(self) -> bool:
        """Whether the board is online."""
        done = subprocess.run([*LAMPLIGHT, "--json", "devices", "--url", self.url], capture_output=True, check=False)
        return done.returncode == 0 and b'"online": true' in done.stdout


@pytest.fixture
def looped(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet of one board that has gone down too often, and is on again."""
    fleet = Fleet(tmp_path / "lamplight")
    fleet.start()
    fleet.stop()
    counted = fleet.state / "devices" / DEVICE / "state" / "runtime" / "starts.json"
    starts.save(counted, Starts(MOST, MOST, "an earlier boot", safe=True))
    again = Looped(fleet.state)
    again.start()
    yield again
    again.stop()


def safe(fleet: Fleet) -> str:
    return fleet.device(DEVICE)["reported"]["runtime"]["safe"]


def test_a_board_in_a_boot_loop_is_reachable_runs_no_function_and_a_deployment_ends_that(
    looped: Fleet, tmp_path: Path
) -> None:
    until(lambda: looped.device(DEVICE)["reported"] and safe(looped), "the board says that it is in safe mode")
    told = looped.run("status", DEVICE).stdout
    assert "safe mode" in told and f"{MOST} starts in a row" in told and "lamplight deploy" in told
    assert looped.device(DEVICE)["reported"]["functions"] == {}
    looped.run("new", "night-light", str(tmp_path / "night-light"))
    code = tmp_path / "night-light" / "main.py"
    code.write_text(code.read_text() + "\n# Repaired.\n")
    looped.run("deploy", str(tmp_path / "night-light"), "--device", DEVICE)
    until(lambda: safe(looped) == "", "safe mode is over")
    looped.world().set(covered=True)
    looped.led_becomes(True)
