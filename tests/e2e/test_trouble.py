"""One function's trouble is its own: what fails is taken back at once, and fails nothing that comes after it."""

from pathlib import Path

import pytest

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

MANIFEST = 'name = "{name}"\nhandler = "main:handler"\n[config]\nlimit = 1\n'


def write(folder: Path, name: str, body: str) -> str:
    """A function of that name in a folder of its own; gives the folder."""
    where = folder / name
    where.mkdir(exist_ok=True)
    (where / "function.toml").write_text(MANIFEST.format(name=name))
    (where / "main.py").write_text(body)
    return str(where)


def says(word: str) -> str:
    """The code of a function that answers a call with this word and its setting."""
    return f"def handler(event, context):\n    return f\"{word} {{context.config['limit']}}\"\n"


BROKEN = "import nope\ndef handler(event, context): ...\n"


@pytest.fixture
def deploy(fleet: Fleet, night_light: Path):
    """Deploys a folder and gives what `lamplight deploy` said; only the starter runs before."""

    def run(folder: str, *more: str, code: int = 0):
        return fleet.run("deploy", folder, "--device", DEVICE, "--trial-seconds", "0.5", *more, code=code)

    return run


def test_a_broken_function_blocks_no_other(fleet: Fleet, deploy, tmp_path: Path) -> None:
    broken = deploy(write(tmp_path, "a", BROKEN), code=5)
    assert "nope" in broken.stderr
    assert "runs what it ran before" in broken.stderr
    deploy(write(tmp_path, "b", says("b")))
    assert "b 1" in fleet.run("call", f"{DEVICE}/b").stdout
    shown = fleet.run("status", DEVICE).stdout
    assert "as asked for" in shown
    assert "was REJECTED" in shown and "it does not run" in shown
    assert fleet.json("status", DEVICE)["desired"]["functions"].keys() == {"night-light", "b"}
    # Corrected, it runs, and its failure is told no more.
    deploy(write(tmp_path, "a", says("a")))
    assert "REJECTED" not in fleet.run("status", DEVICE).stdout
    assert "a 1" in fleet.run("call", f"{DEVICE}/a").stdout


def test_a_failed_change_keeps_the_version_that_ran(fleet: Fleet, deploy, tmp_path: Path) -> None:
    deploy(write(tmp_path, "a", says("first")), "--set", "limit=5")
    deploy(write(tmp_path, "a", BROKEN), "--set", "limit=7", code=5)
    assert "first 5" in fleet.run("call", f"{DEVICE}/a").stdout
    deploy(write(tmp_path, "b", says("b")))
    assert "first 5" in fleet.run("call", f"{DEVICE}/a").stdout
    again = deploy(write(tmp_path, "a", BROKEN), code=5)
    assert "nope" in again.stderr
    deploy(write(tmp_path, "a", says("second")))
    assert "second 5" in fleet.run("call", f"{DEVICE}/a").stdout


def test_rollback_and_remove_after_a_failure(fleet: Fleet, deploy, tmp_path: Path) -> None:
    deploy(write(tmp_path, "a", says("first")))
    deploy(write(tmp_path, "a", says("second")))
    deploy(write(tmp_path, "a", BROKEN), code=5)
    fleet.run("rollback", DEVICE)
    assert "second 1" in fleet.run("call", f"{DEVICE}/a").stdout
    fleet.run("rollback", DEVICE)
    assert "first 1" in fleet.run("call", f"{DEVICE}/a").stdout
    deploy(write(tmp_path, "c", BROKEN), code=5)
    fleet.run("remove", f"{DEVICE}/c")
    assert fleet.json("status", DEVICE)["failed"] == []
    fleet.run("remove", f"{DEVICE}/a")
    assert "a" not in fleet.json("status", DEVICE)["reported"]["functions"]


def test_of_two_that_wait_for_a_board_only_the_broken_one_fails(fleet: Fleet, deploy, tmp_path: Path) -> None:
    deploy(write(tmp_path, "a", BROKEN), "--no-wait")
    told = deploy(write(tmp_path, "b", says("b")))
    assert "COMMITTED" in told.stdout
    until(lambda: [each["name"] for each in fleet.json("status", DEVICE)["failed"]] == ["a"], "a is shown as failed")
    assert "b 1" in fleet.run("call", f"{DEVICE}/b").stdout
