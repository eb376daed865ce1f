"""The doctor on a whole board: each thing broken for real, and the check that says so, with its remedy."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud_shim.broker import setup as broker
from cloud_shim.trust.signing import Signing
from device.config import load
from device.doctor import table
from device.doctor.check import perform
from device.enrol.passwords import Passwords
from device.hal.sim.link import Link
from device.hal.sim.world import World
from device.protocol.enrolment import fingerprint
from device.update import slots
from device.update.slots import Slots
from tests.device.doctor.conftest import Board, Results

EARLIER = "not tried: an earlier step failed"


def failing(results: Results) -> list[str]:
    return [name for name, each in results.items() if each["status"] == "fail"]


def test_a_board_without_faults_has_none_and_every_remedy_belongs_to_something(board: Board) -> None:
    results = board.doctor(code=0)
    assert failing(results) == []
    assert results["sensor.light"]["found"].startswith("it reads ")
    assert results["pin.led"]["found"] == "free"
    assert results["runtime.zygote"]["status"] == "ok"
    assert results["broker.rules"]["status"] == "ok"
    assert all(each["remedy"] for each in results.values() if each["status"] in ("warn", "fail"))


def test_it_says_the_same_to_people(board: Board) -> None:
    command = [sys.executable, "-m", "device.doctor", "--config", str(board.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert "ok    sensor.light " in done.stdout
    assert done.stdout.splitlines()[-1].endswith("left out")


def test_a_running_agent_is_not_disturbed(board: Board) -> None:
    board.start_agent()
    results = board.doctor(code=0)
    assert results["agent.running"] == {"name": "agent.running", "status": "ok", "found": "it runs", "remedy": ""}
    assert results["pin.led"]["status"] == "skip"


def test_the_broker_is_stopped(board: Board) -> None:
    board.stop("broker")
    results = board.doctor(code=1)
    assert failing(results) == ["broker.reachable"]
    assert "Start the broker" in results["broker.reachable"]["remedy"]
    assert results["broker.accepts"]["found"] == results["broker.delivers"]["found"] == EARLIER


def test_the_brokers_name_leads_nowhere(board: Board) -> None:
    board.configure(host="broker.invalid")
    results = board.doctor(code=1)
    assert failing(results) == ["broker.resolves"]
    assert "`host` in agent.toml" in results["broker.resolves"]["remedy"]
    assert results["broker.reachable"]["found"] == EARLIER


def test_the_password_is_wrong(board: Board) -> None:
    board.password.write_text("guessed")
    results = board.doctor(code=1)
    assert failing(results) == ["broker.accepts"]
    assert "Provision the device again" in results["broker.accepts"]["remedy"]


def test_the_password_is_missing(board: Board) -> None:
    board.password.unlink()
    results = board.doctor(code=1)
    assert failing(results) == ["credentials.password"]
    assert results["broker.accepts"]["found"] == "not tried: the password cannot be read"


def test_a_board_that_waits_to_be_let_in_says_so_and_by_what_to_know_it(board: Board) -> None:
    board.password.unlink()
    with board.config.open("a") as config:
        config.write(f'[enrolment]\npassword_file = "{board.folder / "enrol"}"\n')
    mark = fingerprint(Passwords(board.password).offer())
    results = board.doctor(code=0)
    assert results["credentials.password"]["status"] == "warn"
    assert mark in results["credentials.password"]["found"]
    assert "lamplight devices accept" in results["credentials.password"]["remedy"]


def test_the_brokers_rules_know_nothing_of_the_device(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    board.stop("broker")
    monkeypatch.setattr(broker.access, "mosquitto_acl", lambda fleet, devices: "user _shim\ntopic readwrite #\n")
    board.start_broker()
    results = board.doctor(code=1)
    assert failing(results) == ["broker.rules"]
    assert "its own topics" in results["broker.rules"]["remedy"]


def test_a_broker_without_mqtt_5_is_no_fault(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    board.stop("broker")
    board.start_fallback(monkeypatch)
    results = board.doctor(code=0)
    assert results["broker.accepts"]["status"] == "ok"
    assert results["broker.rules"]["status"] == "skip"


def test_the_sensor_is_unplugged(board: Board) -> None:
    World.connect(board.socket).set(unplugged=True)
    results = board.doctor(code=1)
    assert failing(results) == ["sensor.light"]
    assert "check its wiring" in results["sensor.light"]["remedy"]


def test_the_sensor_answers_at_another_address(board: Board, tmp_path: Path) -> None:
    """Wired with ADDR to nothing (0x39), while the board file says ground (0x29)."""
    boards = tmp_path / "other" / "boards"
    shutil.copytree(Path(__file__).parents[3] / "boards", boards)
    described = boards / "lamplight" / "simulated" / "board.toml"
    described.write_text(described.read_text().replace("0x39", "0x29"))
    before = os.environ["PYTHONPATH"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{boards.parent}{os.pathsep}{before}")
        patch.chdir(tmp_path)
        results = board.doctor(code=1)
    assert "It answers at 0x39" in results["sensor.light"]["found"]
    assert "Wire its ADDR pin to ground (it is to nothing)" in results["sensor.light"]["remedy"]


def test_the_simulated_hardware_is_gone(board: Board) -> None:
    board.stop("hardware")
    board.socket.unlink(missing_ok=True)
    results = board.doctor(code=1)
    assert {"bus.i2c", "sensor.light", "pin.led", "pin.button"} <= set(failing(results))
    assert "device.hal.sim" in results["bus.i2c"]["remedy"]


def test_a_pin_is_held_by_another_program(board: Board) -> None:
    holder = Link(board.socket)
    holder.ask("request", lines=[17])
    results = board.doctor(code=1)
    assert failing(results) == ["pin.led"]
    assert "gpioinfo" in results["pin.led"]["remedy"]
    holder.close()
    assert board.doctor()["pin.led"]["status"] == "ok"


def test_looking_at_a_pin_does_not_change_its_level(board: Board) -> None:
    holder = Link(board.socket)
    holder.ask("request", lines=[17])
    holder.ask("configure", line=17, direction="output", bias="as_is", value=True)
    holder.close()
    before = World.connect(board.socket).state()["pins"]
    assert board.doctor()["pin.led"]["status"] == "ok"
    assert World.connect(board.socket).state()["pins"] == before


def test_the_roots_have_ended(board: Board) -> None:
    board.sign(Signing(board.folder / "old", clock=lambda: datetime(2010, 1, 1, tzinfo=UTC)))
    results = board.doctor(code=1)
    assert failing(results) == ["keys.director-root", "keys.image-root"]
    assert "Sign a new root" in results["keys.image-root"]["remedy"]


def test_a_root_is_cut_short_and_one_is_gone(board: Board) -> None:
    path = board.roots / "image-root.json"
    path.write_bytes(path.read_bytes()[:100])
    (board.roots / "director-root.json").unlink()
    results = board.doctor(code=1)
    assert failing(results) == ["keys.director-root", "keys.image-root"]
    assert "Provision the board again" in results["keys.image-root"]["remedy"]


def test_others_may_write_where_trust_begins(board: Board) -> None:
    board.roots.chmod(0o777)
    results = board.doctor(code=1)
    assert results["keys.roots"]["remedy"] == f"`chmod go-w {board.roots}`"


def test_the_clock_stands_at_1970(board: Board) -> None:
    results = {each.name: each for each in perform(table.checks(load(board.config), now=lambda: 30.0)[:4])}
    assert results["clock.set"].status == "fail"
    assert "NTP" in results["clock.set"].remedy


def test_a_clock_at_1970_makes_no_ended_root_good_again(board: Board) -> None:
    board.sign(Signing(board.folder / "old", clock=lambda: datetime(2010, 1, 1, tzinfo=UTC)))
    trusted = board.state / "update" / "trusted.json"
    trusted.parent.mkdir()
    trusted.write_text(json.dumps({"time.json": "1790000000"}))
    checks = [each for each in table.checks(load(board.config), now=lambda: 30.0) if each.name == "keys.image-root"]
    assert next(iter(perform(checks))).status == "fail"


def test_the_clock_is_far_from_the_shims(board: Board) -> None:
    results = board.doctor("--reference", "1000000000", code=1)
    assert failing(results) == ["clock.agrees"]


def test_the_ledger_is_torn(board: Board) -> None:
    (board.state / "update").mkdir()
    (board.state / "update" / "slots.json").write_bytes(b'{"format": 1, "fl')
    results = board.doctor(code=1)
    assert failing(results) == ["state.ledger"]
    assert "Restart the agent" in results["state.ledger"]["remedy"]
    assert results["state.store"]["status"] == "skip"


def test_an_installed_artifact_is_missing_and_a_failed_one_is_told(board: Board) -> None:
    from device.protocol.deployment import ArtifactRef, Deployment

    ref = ArtifactRef("function", "night-light", 1, "0" * 64, 100, "")
    asked = Deployment("home", "desk-pi", 1, {"night-light": ref}, {}, {}, 1.0, 1)
    (board.state / "update").mkdir()
    known = slots.begin_trial(Slots(), asked)
    slots.save(board.state / "update" / "slots.json", known)
    results = board.doctor(code=1)
    assert failing(results) == ["state.store"]
    assert "000000000000" in results["state.store"]["found"]
    slots.save(board.state / "update" / "slots.json", slots.revert(known, "night-light: crashed\nat line 3"))
    results = board.doctor(code=0)
    assert results["state.failed"]["status"] == "warn"
    assert results["state.failed"]["found"].endswith("generation 1: night-light: crashed")


def test_the_outbox_is_torn(board: Board) -> None:
    (board.state / "outbox.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 3000)
    results = board.doctor(code=1)
    assert failing(results) == ["state.outbox"]


def test_looking_at_the_outbox_leaves_it_as_it_is(board: Board) -> None:
    from device.link.outbox import Outbox

    outbox = Outbox(board.state / "outbox.db")
    outbox.append("logs", "log", {"text": "x" * 1000})
    outbox.flush()
    assert "of logs waiting" in board.doctor(code=0)["state.outbox"]["found"]
    assert len(outbox.next_batch("logs")) == 1
    outbox.close()
    with sqlite3.connect(board.state / "outbox.db") as database:
        assert database.execute("SELECT COUNT(*) FROM records").fetchone() == (1,)


def test_the_board_is_none_that_there_is(board: Board) -> None:
    board.configure(board="acme/anvil")
    results = board.doctor(code=1)
    assert failing(results) == ["board"]


def test_confinement_that_the_operator_demands_is_told(board: Board) -> None:
    board.configure(more='[confinement]\nrequire = ["memory"]\n')
    assert board.doctor()["sandbox.memory"]["status"] in ("ok", "fail")


def test_a_configuration_that_is_not_there_is_an_error_and_no_finding(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "device.doctor", "--config", str(tmp_path / "agent.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert done.stderr.startswith("error: There is no configuration")


# In a mount namespace of its own, so that a full or read-only disk needs no rights on this machine.
DISK = """
import sys
from pathlib import Path
from device.doctor import disk
print(*(getattr(disk, name)(Path(sys.argv[1])) for name in ("writable", "free")), sep="\\n")
"""


@pytest.mark.parametrize(
    ("options", "fill", "expected"),
    [
        ("size=64k", "head -c 100000 /dev/zero > $0/full", ["No space left", "du -x", "Finding(status='fail'"]),
        ("size=64k,ro", "true", ["Read-only", "mount -o remount,rw"]),
    ],
)
def test_the_disk_is_full_or_read_only(tmp_path: Path, options: str, fill: str, expected: list[str]) -> None:
    script = f"mount -t tmpfs -o {options} none $0 && ({fill}; exec {sys.executable} -c '{DISK}' $0)"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert all(each in said.stdout for each in expected), (said.stdout, said.stderr)
