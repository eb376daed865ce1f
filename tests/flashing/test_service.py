"""The units, judged by systemd itself: they are understood, and leave little open."""

import re
import subprocess
from pathlib import Path

import pytest

import flashing
from device.users import asking, helper
from flashing import agent

FOLDER = Path(flashing.__file__).parent / "on_board"
UNIT = FOLDER / "lamplight.service"
SOCKET = FOLDER / "lamplight-users.socket"
HELPER = FOLDER / "lamplight-users@.service"


def analyze(*arguments: object) -> str:
    command = ["systemd-analyze", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_understands_every_line_of_them() -> None:
    assert analyze("verify", "--man=no", *(FOLDER / name for name in agent.UNITS)) == ""


@pytest.mark.parametrize(("unit", "most"), [(UNIT, 4.0), (HELPER, 2.0)], ids=["the agent", "the helper"])
def test_they_leave_little_open(unit: Path, most: float) -> None:
    told = analyze("security", "--offline=yes", unit)
    exposure = re.search(r"Overall exposure level for .*: ([\d.]+) OK", told)
    assert exposure is not None and float(exposure[1]) < most


def lines(unit: Path) -> set[str]:
    return set(unit.read_text().splitlines())


def test_the_helper_has_two_rights_and_is_the_installed_one() -> None:
    text = lines(HELPER)
    assert {"CapabilityBoundingSet=CAP_SETUID CAP_SETGID", "NoNewPrivileges=yes", "StandardInput=socket"} <= text
    # With its file's name in the folder of the installation, not in that of deployed agents.
    assert any(each.startswith("ExecStart=/usr/bin/python3 -I -S ") for each in text)
    assert f"/opt/lamplight/device/users/{Path(helper.__file__).name} lamplight" in HELPER.read_text()
    # Nothing that would hide the asking process, or put the helper into a namespace of users.
    assert not re.search("^(PrivateUsers|ProtectProc|ProcSubset|User)=", HELPER.read_text(), re.M)


def test_the_services_user_alone_opens_the_helpers_socket_and_the_agent_starts_after_it() -> None:
    assert {f"ListenStream={asking.SOCKET}", "SocketUser=lamplight", "SocketMode=0600", "Accept=yes"} <= lines(SOCKET)
    assert "User=lamplight" in lines(UNIT) and "Wants=lamplight-users.socket" in lines(UNIT)
    assert re.search("^After=.* lamplight-users.socket$", UNIT.read_text(), re.M)


def test_the_helper_may_change_its_user_and_makes_no_call_of_roots_else() -> None:
    given, taken, more = re.findall(r"^SystemCallFilter=(.*)$", HELPER.read_text(), re.M)
    left = (_members(given.split()) - _members(taken.removeprefix("~").split())) | _members(more.split())
    assert {"setresuid", "getsockopt", "openat", "sendto", "write", "prlimit64", "execve"} <= left
    assert not {"mount", "chown", "setgroups", "setuid", "bpf", "ptrace", "chroot"} & left


@pytest.mark.parametrize("call", ["unshare", "setns", "mount", "pivot_root", "mount_setattr", "clone3", "umount2"])
def test_what_the_agent_confines_functions_with_is_left_to_it(call: str) -> None:
    groups = re.search(r"^SystemCallFilter=(.*)$", UNIT.read_text(), re.M)
    assert groups is not None
    assert call in _members(groups[1].split())


def test_no_namespace_and_no_control_group_is_taken_from_it() -> None:
    text = UNIT.read_text()
    for taken in (
        "RestrictNamespaces",
        "PrivateUsers",
        "ProtectControlGroups",
        "MemoryDenyWriteExecute",
        "ProtectProc",
    ):
        assert f"\n{taken}=" not in text


def _members(names: list[str]) -> set[str]:
    """Every system call of these groups."""
    found: set[str] = set()
    for name in names:
        if not name.startswith("@"):
            found.add(name)
            continue
        command = ["systemd-analyze", "syscall-filter", name]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[1:]
        found |= _members([each.strip() for each in listed if each.strip() and not each.strip().startswith("#")])
    return found
