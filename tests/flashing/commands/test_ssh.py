"""`flash.py ssh` and `remove` against a real SSH server, on a machine whose folders are at their real paths."""

import json
import stat
from pathlib import Path

import pytest

from tests.flashing.commands.conftest import Run
from tests.flashing.conftest import PASSWORD
from tests.flashing.machine import Machine

pytestmark = pytest.mark.usefixtures("index")


@pytest.fixture
def line(machine: Machine, identity: Path) -> list[object]:
    """A command line that installs on the machine."""
    reach = ["--broker", "lamp.local:8883", "--identity", identity]
    return ["ssh", "root@board", "-F", machine.config, "--name", "desk-pc", *reach]


def device(machine: Machine) -> dict[str, bytes]:
    return {name: data for name, data in machine.files().items() if name.startswith(("opt", "var/lib", "etc/lampl"))}


def test_a_running_machine_becomes_a_device(run: Run, machine: Machine, line: list[object]) -> None:
    code, out, err = run(*line, "--json")
    assert code == 0, err
    assert json.loads(out) == {
        "machine": "root@board",
        "device": "desk-pc",
        "board": "linux/x86-64",
        "upgraded": False,
    }
    there = machine.files()
    assert there["var/lib/lamplight/password"].decode() == PASSWORD
    assert 'board = "linux/x86-64"' in there["var/lib/lamplight/agent.toml"].decode()
    assert "opt/lamplight/device/launcher/__main__.py" in there and "etc/systemd/system/lamplight.service" in there
    assert "opt/lamplight/device/users/helper.py" in there and "etc/systemd/system/lamplight-users.socket" in there
    assert "systemctl enable lamplight.service lamplight-users.socket" in machine.run("cat /run/told")
    assert (
        machine.run("cd /opt/lamplight && python3 -P -c 'import sys; sys.path.insert(0, \".\"); import device.errors'")
        == ""
    )


def test_a_card_and_ssh_turn_on_the_same_bus(run: Run, machine: Machine, line: list[object]) -> None:
    assert run(*line)[0] == 0
    assert "dtparam=i2c_arm=on" in machine.files()["boot/firmware/config.txt"].decode()
    assert machine.files()["etc/modules-load.d/lamplight.conf"] == b"i2c-dev\n"


def test_a_second_time_changes_nothing(run: Run, machine: Machine, line: list[object]) -> None:
    assert run(*line)[0] == 0
    before = machine.files()
    code, out, err = run(*line, "--json")
    assert code == 0, err
    assert json.loads(out)["upgraded"] is True
    assert {k: v for k, v in machine.files().items() if "pycache" not in k} == {
        k: v for k, v in before.items() if "pycache" not in k
    }


def test_an_upgrade_keeps_who_the_device_is_and_needs_no_name(run: Run, machine: Machine, line: list[object]) -> None:
    assert run(*line)[0] == 0
    code, out, err = run("ssh", "root@board", "-F", machine.config, "--json")
    assert code == 0, err
    assert (json.loads(out)["device"], json.loads(out)["upgraded"]) == ("desk-pc", True)
    assert machine.files()["var/lib/lamplight/password"].decode() == PASSWORD


def test_a_new_identity_without_a_name_is_for_the_device_that_it_is(
    run: Run, machine: Machine, line: list[object]
) -> None:
    assert run(*line)[0] == 0
    given = [each for each in line if each not in ("--name", "desk-pc")]
    code, out, err = run(*given, "--again", "--json")
    assert code == 0, err
    assert json.loads(out)["device"] == "desk-pc"
    assert 'device = "desk-pc"' in machine.files()["var/lib/lamplight/agent.toml"].decode()


def _root(identity: Path, version: int, keys: str) -> None:
    signed = {"signed": {"version": version, "keys": keys}}
    (identity / "roots/director-root.json").write_text(json.dumps(signed))


@pytest.mark.parametrize(
    ("name", "version", "keys", "kept"),
    [
        ("desk-pc", 1, "ours", True),
        ("desk-pc", 2, "our next", True),
        ("desk-pc", 1, "another shim's", False),
        ("shelf-pc", 1, "ours", False),
    ],
)
def test_what_a_device_was_goes_when_it_becomes_another_one(
    run: Run, machine: Machine, line: list[object], identity: Path, name: str, version: int, keys: str, kept: bool
) -> None:
    _root(identity, 1, "ours")
    assert run(*line)[0] == 0
    (machine.root / "var/lib/lamplight/state/slots.json").write_text("{}")
    _root(identity, version, keys)
    code, _, err = run(*(each if each != "desk-pc" else name for each in line), "--again")
    assert code == 0, err
    there = machine.files()
    assert ("var/lib/lamplight/state/slots.json" in there) is kept
    assert f'device = "{name}"' in there["var/lib/lamplight/agent.toml"].decode()
    assert ("stop lamplight.service" in machine.run("cat /run/told")) is not kept
    assert (machine.root / "var/lib/lamplight/state").is_dir()


def test_another_name_for_a_device_is_refused_and_nothing_changes(
    run: Run, machine: Machine, line: list[object]
) -> None:
    assert run(*line)[0] == 0
    before = device(machine)
    code, _, err = run(*(each if each != "desk-pc" else "shelf-pc" for each in line))
    assert code == 5 and "is the device desk-pc" in err and "--again" in err
    assert device(machine) == before


def test_removed_the_machine_is_as_it_was(run: Run, machine: Machine, line: list[object]) -> None:
    before = machine.files()
    assert run(*line)[0] == 0
    code, out, err = run("remove", "root@board", "-F", machine.config, "--yes", "--json")
    assert code == 0, err
    assert json.loads(out)["device"] == "desk-pc"
    # What Debian's own tools keep of the files they change.
    kept = {"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-", "etc/.pwd.lock"}
    after = machine.files()
    changed = {each for each in {*before, *after} if before.get(each) != after.get(each)}
    assert changed <= kept
    assert "disable --now lamplight.service" in machine.run("cat /run/told")


def test_a_user_and_a_bus_that_were_there_before_stay(run: Run, machine: Machine, line: list[object]) -> None:
    machine.run("useradd --system lamplight")
    (machine.root / "boot/firmware/config.txt").write_text("dtparam=i2c_arm=on\n")
    assert run(*line)[0] == 0
    assert run("remove", "root@board", "-F", machine.config, "--yes")[0] == 0
    assert "lamplight" in machine.run("id lamplight")
    assert machine.files()["boot/firmware/config.txt"] == b"dtparam=i2c_arm=on\n"


def test_there_is_nothing_to_remove_twice(run: Run, machine: Machine) -> None:
    code, _, err = run("remove", "root@board", "-F", machine.config, "--yes")
    assert code == 5 and "There is no Lamplight" in err


def test_what_an_installation_that_was_cut_left_can_be_removed(run: Run, machine: Machine, line: list[object]) -> None:
    assert run(*line)[0] == 0
    for name in ("systemd/system/lamplight.service", "lamplight/device"):
        (machine.root / "etc" / name).unlink()
    code, out, err = run("remove", "root@board", "-F", machine.config, "--yes")
    assert code == 0 and "as it was." in out, err
    assert not [name for name in machine.files() if "lamplight" in name]


def test_nothing_is_removed_where_nobody_can_be_asked(run: Run, machine: Machine, line: list[object]) -> None:
    assert run(*line)[0] == 0
    code, _, err = run("remove", "root@board", "-F", machine.config)
    assert code == 2 and "--yes" in err and "opt/lamplight/device" in machine.files()


def test_no_secret_is_shown_logged_left_behind_or_readable(run: Run, machine: Machine, line: list[object]) -> None:
    code, out, err = run(*line, "--debug")
    assert code == 0 and PASSWORD not in out + err + machine.log
    holding = [name for name, data in machine.files().items() if PASSWORD.encode() in data]
    assert holding == ["var/lib/lamplight/password"]
    assert stat.S_IMODE((machine.root / "var/lib/lamplight").stat().st_mode) == 0o700
    assert stat.S_IMODE((machine.root / "var/lib/lamplight/password").stat().st_mode) == 0o600
    assert list((machine.root / "var/tmp").iterdir()) == []


def test_a_server_that_is_not_the_one_that_was_known_gets_nothing(
    run: Run, machine: Machine, line: list[object]
) -> None:
    other = (machine.root / "key.pub").read_text()
    (machine.root / "known_hosts").write_text(f"[127.0.0.1]:{machine.port} {other}")
    code, _, err = run(*line)
    assert code == 4 and "cannot be reached" in err and "ssh root@board" in err
    assert "opt/lamplight" not in machine.files()


def test_a_machine_that_is_not_there(run: Run, machine: Machine, line: list[object]) -> None:
    machine.__exit__()
    code, _, err = run(*line)
    assert code == 4 and "cannot be reached" in err


@pytest.mark.parametrize("host", ["-oProxyCommand=touch /tmp/x", "", "a b"])
def test_a_name_that_is_an_option_is_not_given_to_ssh(run: Run, host: str) -> None:
    code, _, err = run("ssh", "--", host)
    assert code == 2 and "no machine's name" in err


def test_another_board_than_named_is_refused_before_anything_is_sent(
    run: Run, machine: Machine, line: list[object]
) -> None:
    code, _, err = run(*line, "--board", "raspberry-pi/4b")
    assert code == 5 and "its processor is x86_64" in err and "opt/lamplight" not in machine.files()


def test_who_may_not_become_root_is_told_so(run: Run, machine: Machine, line: list[object]) -> None:
    machine.run("useradd --create-home --home-dir /var/visitor --shell /bin/sh --password '*' visitor")
    (machine.root / "bin" / "sudo").write_text("#!/bin/sh\necho sudo: a password is required >&2\nexit 1\n")
    (machine.root / "bin" / "sudo").chmod(0o755)
    code, _, err = run(*("visitor@board" if each == "root@board" else each for each in line))
    assert code == 1 and "a password is required" in err
    assert "opt/lamplight" not in machine.files() and list((machine.root / "var/tmp").iterdir()) == []
