"""The release keys on a developer's machine, with a fleet of their own: taking them cannot be undone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / "release-keys"))
    made = Fleet(tmp_path / "lamplight")
    made.start()
    yield made
    made.stop()


def test_only_the_machine_with_the_keys_ships_code(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "night-light"
    fleet.run("new", "night-light", str(folder))
    nobody = fleet.run("keys", "take", code=2)
    assert "function/night-light@1" in nobody.stderr
    fleet.run("keys", "take", "--all")
    code = folder / "main.py"
    code.write_text(code.read_text() + "# signed on this machine\n")
    assert fleet.json("deploy", str(folder), "--device", DEVICE)["state"] == "COMMITTED"

    fleet.stop()
    fleet.start()
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / "elsewhere"))
    code.write_text(code.read_text() + "# signed by nobody\n")
    refused = fleet.run("deploy", str(folder), "--device", DEVICE, code=5)
    assert "lamplight keys take" in refused.stderr
    fleet.run("rollback", DEVICE)
    until(lambda: fleet.device(DEVICE)["reported"]["generation"] == 3, "what was signed before runs again")

    # Only that machine withdraws, too; the function stops, and its light goes out.
    withdraw = ("withdraw", "night-light", "v1", "--because", "it burns the lamp")
    fleet.run(*withdraw, code=5)
    monkeypatch.setenv("LAMPLIGHT_KEYS", str(tmp_path / "release-keys"))
    fleet.world().set(lux=0.0)
    fleet.led_becomes(True)
    fleet.run(*withdraw)
    fleet.led_becomes(False)
    until(lambda: function(fleet)["state"] == "held", "the device says so")
    assert "it burns the lamp" in fleet.run("status", DEVICE).stdout
    assert "was withdrawn" in fleet.run("call", f"{DEVICE}/night-light", code=5).stderr


def function(fleet: Fleet) -> dict[str, Any]:
    return fleet.device(DEVICE)["reported"]["functions"]["night-light"]
