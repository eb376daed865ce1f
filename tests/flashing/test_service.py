"""The unit, judged by systemd itself: it is understood, and leaves little open."""

import re
import subprocess
from pathlib import Path

import pytest

import flashing

UNIT = Path(flashing.__file__).parent / "on_board" / "lamplight.service"


def analyze(*arguments: object) -> str:
    command = ["systemd-analyze", *map(str, arguments), str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_understands_every_line_of_it() -> None:
    assert analyze("verify", "--man=no") == ""


def test_it_leaves_little_open() -> None:
    exposure = re.search(r"Overall exposure level for .*: ([\d.]+) OK", analyze("security", "--offline=yes"))
    assert exposure is not None and float(exposure[1]) < 4.0


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
