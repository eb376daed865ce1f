"""The shim's side, broken for real: its database, its secrets, its keys, its broker."""

import sqlite3
import time
from datetime import UTC, datetime

import pytest

from cloud_shim.broker import setup as brokers
from cloud_shim.cli.client import Client
from cloud_shim.cli.doctor import broker, database, devices, folders, keys, table
from cloud_shim.database import Database
from cloud_shim.tables import SCHEMA
from cloud_shim.trust.signing import Signing
from device.doctor.check import healthy, perform

NOW = time.time()


@pytest.fixture
def cloud(mosquitto):
    """The folder of a shim whose broker runs, with a database and keys."""
    Database(f"sqlite:///{mosquitto.state}/shim.db").close()
    Signing(mosquitto.state / "signing")
    return mosquitto.state


@pytest.fixture
def look(cloud):
    """Performs every check but those that ask the shim itself; gives the results by name."""

    def run():
        with Client("http://127.0.0.1:9") as client:
            checks = [
                each
                for each in table.checks(cloud, client)
                if each.name not in ("shim.answers", "shim.shares", "devices")
            ]
            return {each.name: each for each in perform(checks)}

    return run


def test_a_home_without_faults_has_none(look):
    results = look()
    assert healthy(results.values()), results
    skipped = [name for name, each in results.items() if each.status == "skip"]
    assert skipped == ["broker.certificate"], "no board reaches this broker"


def test_the_broker_is_stopped(look, mosquitto):
    mosquitto.stop()
    results = look()
    assert [name for name, each in results.items() if each.status == "fail"] == ["broker.reachable"]
    assert "Start the broker" in results["broker.reachable"].remedy


def test_the_shims_own_password_is_wrong(look, cloud):
    (cloud / "broker" / "shim.password").write_text("guessed")
    assert look()["broker.accepts"].status == "fail"


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("persistence true", "persistence false"),
        ("set_tcp_nodelay true\n", ""),
        ("allow_anonymous false", "allow_anonymous true"),
    ],
)
def test_a_broker_that_is_set_up_otherwise_is_told_in_which(look, cloud, line, other):
    path = cloud / "broker" / "mosquitto.conf"
    path.write_text(path.read_text().replace(line, other))
    found = look()["broker.settings"]
    assert (found.status, line.split()[0] in found.found) == ("warn", True)
    assert "lamplight up" in found.remedy


def test_the_fallback_broker_is_worth_a_look(monkeypatch):
    monkeypatch.setattr(brokers, "find_mosquitto", lambda: None)
    assert broker.program().status == "warn"


@pytest.mark.parametrize("text", ["", "listener\n", "listener x 127.0.0.1\n", "# listener 1 h\n"])
def test_a_configuration_that_says_not_where_leaves_the_broker_out(tmp_path, text):
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "mosquitto.conf").write_text(text)
    assert broker.read(tmp_path) is None
    assert broker.settings(tmp_path).status == "skip"


def test_a_key_that_others_can_read_is_named(look, cloud):
    (cloud / "signing" / "keys" / "director-online.pem").chmod(0o644)
    found = look()["folders.secrets"]
    assert (found.status, found.found) == ("fail", "open to others: director-online.pem")
    assert "chmod 600" in found.remedy


def test_a_folder_that_others_may_write_is_told(look, cloud):
    (cloud / "signing").chmod(0o777)
    assert look()["folders.signing"].status == "fail"


def test_a_key_that_is_cut_short_is_named(look, cloud):
    path = cloud / "signing" / "keys" / "image-root.pem"
    path.write_bytes(path.read_bytes()[:40])
    found = look()["keys.readable"]
    assert (found.status, found.found.startswith("image-root.pem")) == ("fail", True)


def test_signatures_of_a_shim_that_was_off_for_years_have_ended(tmp_path):
    Signing(tmp_path, clock=lambda: datetime(2010, 1, 1, tzinfo=UTC))
    found = keys.signed(tmp_path / "image.json", NOW)
    assert (found["root"].status, found["roles"].status) == ("fail", "warn")
    assert "Start the shim" in found["roles"].remedy


@pytest.mark.parametrize("text", ["", "[]", '{"timestamp": 1}', '{"timestamp": "{}"}', '{"root": {}}', "[" * 5000])
def test_a_repository_that_is_damaged_is_told(tmp_path, text):
    (tmp_path / "image.json").write_text(text)
    (tmp_path / "pi.json").write_text(text)
    statuses = {each.status for each in perform_one(lambda: keys.signed(tmp_path / "image.json", NOW))}
    assert statuses == {"fail"}
    assert {each.status for each in perform_one(lambda: keys.signed_for_device(tmp_path / "pi.json", NOW))} == {"fail"}


def perform_one(run):
    from device.doctor.check import Check

    return list(perform([Check("it", run)]))


def test_a_database_that_is_torn_is_told_and_left_alone(look, cloud):
    path = cloud / "shim.db"
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    path.write_bytes(data)
    results = look()
    assert "fail" in (results["database.opens"].status, results["database.whole"].status)
    assert path.read_bytes() == data


def test_a_database_of_a_newer_lamplight_is_told(look, cloud):
    with sqlite3.connect(cloud / "shim.db") as connection:
        connection.execute("INSERT INTO schema VALUES (?)", (SCHEMA + 1,))
    found = look()["database.opens"]
    assert (found.status, "newer Lamplight" in found.found) == ("fail", True)


def test_what_is_not_there_yet_is_left_out(tmp_path):
    assert database.opens(tmp_path / "shim.db").status == "skip"
    assert database.whole(tmp_path / "shim.db").status == "skip"
    assert folders.folder(tmp_path / "none").status == "skip"
    assert folders.closed([tmp_path / "none"]).status == "skip"
    assert keys.readable(tmp_path).status == "skip"
    assert keys.signed(tmp_path / "image.json", NOW)["image"].status == "skip"
    assert not (tmp_path / "shim.db").exists()


def test_a_shim_that_does_not_answer_is_a_failed_check(cloud):
    with Client("http://127.0.0.1:9") as client:
        checks = [
            each for each in table.checks(cloud, client) if each.name in ("shim.answers", "shim.shares", "devices")
        ]
        results = list(perform(checks))
    assert [each.status for each in results] == ["fail"] * 3
    assert all("lamplight up" in each.remedy for each in results)


def test_a_device_made_by_nobody_is_no_fault():
    class Empty:
        def devices(self):
            return []

    assert devices.findings(Empty(), NOW)["none"].status == "skip"


def test_signatures_that_end_soon_name_the_command_that_renews_what_the_shim_cannot():
    found = keys.judge_roles({"targets": 5 * 86400.0, "timestamp": 20 * 86400.0}, 0.0)
    assert found.status == "warn" and "targets ends in" in found.found
    assert "lamplight keys renew" in found.remedy
    assert keys.judge_roles({"targets": 20 * 86400.0}, 0.0).status == "ok"
