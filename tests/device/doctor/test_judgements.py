"""The pure judgements: from what was seen to a status and a remedy."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.doctor import broker, clock, credentials, disk, keys, libraries, pins, process, sandbox, sensor, show, state
from device.doctor.check import Result
from device.hal.sensors import Reading
from device.link.outbox import BUDGETS

NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
DAY = 86_400.0


def test_a_clock_at_1970_was_never_set() -> None:
    found = clock.judge_set(30.0)
    assert (found.status, "1970-01-01" in found.found, "NTP" in found.remedy) == ("fail", True, True)
    assert clock.judge_set(NOW).status == "ok"


def test_a_clock_behind_what_is_known_to_be_past_fails() -> None:
    found = clock.judge_floor(NOW - 3 * DAY, NOW)
    assert (found.status, found.found.startswith("it is 3 days behind")) == ("fail", True)
    assert clock.judge_floor(NOW, NOW - 1).status == "ok"
    assert clock.judge_floor(NOW - 3 * DAY, NOW, synchronised=True).status == "warn"
    assert clock.judge_floor(NOW, 0.0).status == "skip"


@pytest.mark.parametrize(
    ("apart", "status"), [(0, "ok"), (59, "ok"), (-59, "ok"), (61, "warn"), (-3600, "warn"), (2 * DAY, "fail")]
)
def test_clocks_that_differ(apart: float, status: str) -> None:
    assert clock.judge_agreement(NOW + apart, NOW).status == status
    assert clock.judge_agreement(NOW, None).status == "skip"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"time.json": "x"}', '{"time.json": null}', "\0"])
def test_trusted_metadata_that_is_damaged_proves_no_time(tmp_path: Path, text: str) -> None:
    (tmp_path / "trusted.json").write_text(text)
    assert clock.time_floor(tmp_path / "trusted.json") == 0.0


def test_a_disk_that_fills_up_is_seen_before_and_after() -> None:
    free = [disk.judge_free(each, 10**10).status for each in (10**6, 10**8, 10**9)]
    assert free == ["fail", "warn", "ok"]
    files = [disk.judge_files(each, 10**6).status for each in (10, 1000, 10**5)]
    assert files == ["fail", "warn", "ok"]
    assert disk.judge_files(0, 0).status == "skip"


def test_a_root_that_ends_soon_or_has_ended() -> None:
    assert [keys.judge_root(NOW + each * DAY, NOW).status for each in (-1, 30, 1000)] == ["fail", "warn", "ok"]


def test_roles_that_ended_while_the_board_was_off_are_named() -> None:
    found = keys.judge_roles({"director/timestamp": NOW - DAY, "image/targets": NOW + DAY}, NOW)
    assert (found.status, "director/timestamp" in found.found) == ("warn", True)
    assert keys.judge_roles({}, NOW).status == "skip"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"signed": []}', '{"signed": {"expires": "soon"}}', "[" * 5000])
def test_what_is_no_metadata_has_no_end(text: str) -> None:
    with pytest.raises(ValueError):
        keys.expiry(text)


def test_a_demanded_aspect_that_is_missing_fails_and_another_one_warns() -> None:
    assert sandbox.judge("filesystem", "none", required=True).status == "fail"
    found = sandbox.judge("filesystem", "none", required=False)
    assert (found.status, "Landlock" in found.remedy) == ("warn", True)
    assert sandbox.judge("filesystem", "own root", required=True).status == "ok"
    assert sandbox.judge("an aspect of the future", "none", required=False).remedy


def test_functions_that_share_the_agents_user_are_told_with_what_gives_them_their_own() -> None:
    assert "flash.py ssh" in sandbox.judge("user", "none", required=False).remedy
    installed = sandbox.judge("user", "none", required=True, helped=True)
    assert (installed.status, "lamplight-users" in installed.remedy) == ("fail", True)
    assert sandbox.judge("user", "own user", required=True, helped=True).status == "ok"
    assert "Landlock" in sandbox.judge("filesystem", "none", required=False, helped=True).remedy


def test_a_pin_held_by_another_program_fails_unless_the_agent_runs() -> None:
    assert "held by pigpiod" in pins.judge(True, "pigpiod", agent_runs=False).found
    assert [pins.judge(True, "", agent).status for agent in (False, True)] == ["fail", "ok"]
    assert pins.judge(False, "", agent_runs=False).status == "ok"


def test_a_saturated_sensor_and_a_dark_one_are_told_apart() -> None:
    assert sensor.judge_reading(Reading(40_000.0, saturated=True)).status == "warn"
    assert "darkness" in sensor.judge_reading(Reading(0.0, saturated=False)).found


def test_a_bus_that_is_off(tmp_path: Path) -> None:
    found = sensor.node(tmp_path / "i2c-1")
    assert (found.status, "raspi-config" in found.remedy) == ("fail", True)
    (tmp_path / "i2c-1").touch()
    assert sensor.node(tmp_path / "i2c-1").status == "ok"


def test_a_backlog_that_will_be_dropped_warns() -> None:
    assert state.judge_backlog({"logs": 10}).status == "ok"
    found = state.judge_backlog({"telemetry": BUDGETS["telemetry"] - 1, "logs": 10})
    assert (found.status, "oldest telemetry" in found.found) == ("warn", True)


def test_a_broker_without_the_desired_state_of_a_device_that_had_one_warns() -> None:
    assert broker.judge_delivery(None, expected=True).status == "warn"
    assert broker.judge_delivery(None, expected=False).status == "ok"


def test_an_old_python_fails() -> None:
    assert libraries.python((3, 9)).status == "fail"


def test_a_lock_of_another_file_or_kind_is_not_the_agents() -> None:
    line = "1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF"
    assert process.is_lock_of(line, 1234)
    assert not process.is_lock_of(line, 234)
    assert not process.is_lock_of(line.replace("FLOCK", "POSIX"), 1234)
    assert not process.is_lock_of("", 1234)


def test_a_password_that_others_can_read_warns_and_one_that_is_missing_or_empty_fails(tmp_path: Path) -> None:
    path = tmp_path / "password"
    assert credentials.password(path).status == "fail"
    path.write_text("\n")
    assert credentials.password(path).status == "fail"
    path.write_text("secret")
    path.chmod(0o644)
    found = credentials.password(path)
    assert (found.status, found.remedy) == ("warn", f"`chmod 600 {path}`")
    path.chmod(0o600)
    assert credentials.password(path).status == "ok"


def test_what_a_broker_says_does_not_drive_the_terminal() -> None:
    lines = show.lines(Result("a", "fail", "\x1b[2J\r", "\x07\ntry"), 5)
    assert len(lines) == 2
    assert all(each.isprintable() for each in lines)
