"""What a running machine is, as far as installing on it goes: asked by a script, judged here. It installs nothing.

The script runs as whoever logs in, changes nothing, and prints `key=value` lines.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import boards
from boards import Board
from device.errors import LamplightError, RejectedError, UsageError

# The agent as an archive, unpacked beside the one that is there, and compiled.
ROOM = 600 * 1024 * 1024
SCRIPT = r"""
told() { echo "$1=$2"; }
told architecture "$(uname -m)"
bits='import struct, sys; print("%d.%d %d" % (*sys.version_info[:2], struct.calcsize("P") * 8))'
told python "$(python3 -c "$bits" 2>/dev/null)"
told model "$(tr -d '\000' </proc/device-tree/model 2>/dev/null)"
told free "$(df -Pk /opt /var/lib /var/tmp 2>/dev/null | awk 'NR > 1 { print $4 }' | sort -n | head -n 1)"
told root "$(id -u)"
told sudo "$(command -v sudo)"
told systemd "$(test -d /run/systemd/system && echo yes)"
told device "$(sed -n 's/^device = "\(.*\)"$/\1/p' /etc/lamplight/device 2>/dev/null)"
told board "$(sed -n 's/^board = "\(.*\)"$/\1/p' /etc/lamplight/device 2>/dev/null)"
told installed "$(test -e /etc/lamplight/changed && echo yes)"
"""
_GENERIC = {"x86_64": "linux/x86-64", "aarch64": "linux/arm64"}
_LEAST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Machine:
    """One running machine: `python` as "3.13", its `bits`, `model` as the device tree has it ("" for none).

    `free` is in bytes. `root`: who logs in is root; `sudo`: there is sudo. `device` is the name of the device that it
    is already, `board` what that was taken for (both ""). `installed`: an installation was begun there, at least.
    """

    architecture: str
    python: str
    bits: int
    model: str
    free: int
    root: bool
    sudo: bool
    systemd: bool
    device: str
    board: str
    installed: bool


def parse(told: str) -> Machine:
    """The machine that the script told of; LamplightError when that is not what it prints."""
    found: dict[str, str] = {}
    for line in told.splitlines():
        key, _, value = line.partition("=")
        found[key] = value
    try:
        python, _, bits = found["python"].partition(" ")
        return Machine(
            found["architecture"],
            python,
            int(bits or 0),
            found["model"],
            int(found["free"] or 0) * 1024,
            found["root"] == "0",
            bool(found["sudo"]),
            bool(found["systemd"]),
            found["device"],
            found["board"],
            bool(found["installed"]),
        )
    except (KeyError, ValueError) as error:
        raise LamplightError(
            "The machine did not say what it is", f"it said {told[-300:]!r}", "is it Linux?"
        ) from error


def detect(model: str, known: Iterable[Board]) -> str:
    """The name of the board that the device tree calls `model`; "" for one that no board's title begins with."""
    names = {board.title.partition(" with ")[0].replace("+", " Plus"): board.name for board in known}
    # Whole words: a Raspberry Pi 500 is no Raspberry Pi 5.
    fitting = [title for title in names if f"{model} ".startswith(f"{title} ")]
    return names[max(fitting, key=len)] if fitting else ""


def board(machine: Machine, named: str, known: Iterable[Board]) -> Board:
    """The board that `machine` is: the one `named`, or what it shows itself to be. RejectedError when they differ.

    An adapter on USB does not show itself: a device that was one stays one until another is named. Its machine has the
    architecture and the wheels that such a board leaves open.
    """
    known = list(known)
    seen = detect(machine.model, known)
    was_adapter = any(each.name == machine.board and each.machine.architecture == "any" for each in known)
    chosen = named or (machine.board if was_adapter else seen) or _GENERIC.get(machine.architecture, "")
    if not chosen:
        raise UsageError(f"Which board is it? It has the processor {machine.architecture}", "", "--board BOARD")
    found = boards.load(chosen)
    generic = found.machine.architecture == "any" or found.name in _GENERIC.values()
    if seen and seen != found.name and not generic:
        raise RejectedError(f"The board is no {found.name}", f"it says that it is a {machine.model}", f"--board {seen}")
    if found.machine.architecture not in ("any", machine.architecture):
        why = f"its processor is {machine.architecture}, not {found.machine.architecture}"
        raise RejectedError(f"The board is no {found.name}", why, "`flash.py list` shows the boards")
    if found.simulated:
        raise UsageError(f"{found.name} is not installed on a machine", "it is simulated", "`lamplight up` runs it")
    if found.machine.architecture == "any":
        filled = boards.load(_GENERIC[machine.architecture]).machine if machine.architecture in _GENERIC else None
        if filled:
            found = replace(
                found, machine=replace(found.machine, architecture=filled.architecture, wheels=filled.wheels)
            )
    return found


def check(machine: Machine) -> None:
    """RejectedError, with what to do, when the agent cannot be installed there. Before anything is fetched or sent."""
    version = tuple(int(each) for each in machine.python.split(".") if each.isdecimal())
    if version < _LEAST_PYTHON:
        has = f"its Python is {machine.python}" if machine.python else "it has no Python"
        raise RejectedError("The agent does not run there", f"{has}; it needs 3.11 or newer", "upgrade its system")
    if machine.bits != 64:
        raise RejectedError(
            "The agent does not run there", f"its system is one for {machine.bits} bits", "use a system for 64 bits"
        )
    if not machine.systemd:
        raise RejectedError("The agent does not run there", "its services are not run by systemd", "use such a system")
    if machine.free < ROOM:
        raise RejectedError(
            "There is no room for the agent and its libraries",
            f"{machine.free // 2**20} MiB are free, {ROOM // 2**20} MiB are needed",
            "make room in /opt, /var/lib and /var/tmp",
        )
    check_rights(machine)


def check_rights(machine: Machine) -> None:
    """RejectedError when who logs in cannot become root."""
    if not machine.root and not machine.sudo:
        raise RejectedError("Nothing can be changed there", "you are not root, and there is no sudo", "log in as root")
