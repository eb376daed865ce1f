"""What a board recorded decides the same on this machine, and shows where other code does not."""

from pathlib import Path

import pytest

from tests.e2e.conftest import DEVICE, Fleet
from tests.support import until

pytestmark = pytest.mark.e2e

THE_EVENTS = 'event.data["lux"]'
ITS_OWN = 'context.sensors["light"].lux'


def trace(fleet: Fleet, folder: Path) -> Path:
    """Of the release that runs, with the lamp off and on."""
    path = folder / "trace.jsonl"

    def has_both() -> bool:
        fleet.run("record", f"{DEVICE}/night-light", "-o", str(path))
        recorded = path.read_text()
        return '"led": true' in recorded and '"led": false' in recorded

    fleet.world().set(lux=5.0)
    until(has_both, "both were recorded")
    return path


def test_what_a_board_recorded_is_decided_again_and_other_code_differs(
    fleet: Fleet, night_light: Path, tmp_path: Path
) -> None:
    # The same release with other settings, and then again as before: its decisions of then are in no trace of now.
    fleet.run("deploy", str(night_light), "--device", DEVICE, "--set", "threshold=1000")
    fleet.led_becomes(True)
    fleet.run("deploy", str(night_light), "--device", DEVICE, "--set", "threshold=100")
    fleet.led_becomes(False)
    recorded = str(trace(fleet, tmp_path))
    assert fleet.run("replay", recorded, str(night_light), "--differences").stdout == ""
    main = night_light / "main.py"
    # Code that reads the sensor by itself, which the recorded code did not: it gets the event's own reading.
    main.write_text(main.read_text().replace(THE_EVENTS, ITS_OWN))
    manifest = night_light / "function.toml"
    manifest.write_text(manifest.read_text().replace("memory =", 'sensors = ["light"]\nmemory ='))
    fleet.run("replay", recorded, str(night_light))
    main.write_text(main.read_text().replace("<", ">="))
    assert "not as recorded" in fleet.run("replay", recorded, str(night_light), code=1).stderr


BY = """
name = "divider"
handler = "main:handler"
record_calls = true
[config]
by = 1
"""


def test_a_call_that_the_manifest_has_recorded_becomes_a_trace_with_the_settings_it_met(
    fleet: Fleet, tmp_path: Path
) -> None:
    folder, trace = tmp_path / "divider", tmp_path / "calls.jsonl"
    folder.mkdir()
    (folder / "function.toml").write_text(BY)
    (folder / "main.py").write_text('def handler(event, context):\n    return event.data / context.config["by"]\n')
    fleet.run("deploy", str(folder), "--device", DEVICE, "--set", "by=2")
    assert fleet.json("call", f"{DEVICE}/divider", "--data", "8") == 4.0
    (folder / "main.py").write_text('def handler(event, context):\n    return event.data // context.config["by"]\n')
    fleet.run("deploy", str(folder), "--device", DEVICE, "--set", "by=3")
    record = ("record", f"{DEVICE}/divider", "--version", "1", "-o", str(trace))
    until(lambda: fleet.run(*record, code=None).returncode == 0, "the call was recorded")
    assert "not as recorded" not in fleet.run("replay", str(trace), str(folder)).stderr
    assert "not as recorded" in fleet.run("replay", str(trace), str(folder), "--set", "by=3", code=1).stderr
    fleet.run("remove", f"{DEVICE}/divider")
