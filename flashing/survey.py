"""A running machine, as far as installing on it goes: asked by a script, judged here. Installing is elsewhere.

The script runs as the user logged in, only looks, and prints `key=value` lines.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import boards
from boards import Board
from device.errors import LamplightError, RejectedError, UsageError

# The agent as an archive, unpacked beside the present one, and compiled.
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

    `free` is in bytes. `root`: the login is root's; `sudo`: the machine has sudo. `device` is the machine's present
    name as a device, `board` the kind of board it was then taken for (both ""). `installed`: an installation was at
    least begun there.
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
    """The machine as the script told it; LamplightError for any other text than the script's."""
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
    """The name of the board called `model` by the device tree; "" when every board's title begins otherwise."""
    names = {board.title.partition(" with ")[0].replace("+", " Plus"): board.name for board in known}
    # Whole words: a Raspberry Pi 500 is no Raspberry Pi 5.
    fitting = [title for title in names if f"{model} ".startswith(f"{title} ")]
    return names[max(fitting, key=len)] if fitting else ""


def board(machine: Machine, named: str, known: Iterable[Board]) -> Board:
    """The board of `machine`: the one `named`, or the detected one. RejectedError when they differ.

    An adapter on USB shows no sign in the device tree: a device with one keeps it until another is named. Such a board
    leaves the architecture and the wheels open; they are its machine's.
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
    """RejectedError, with a remedy, when the agent cannot be installed there. Before anything is fetched or sent."""
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
    """RejectedError when the user logged in has no way to become root."""
    if not machine.root and not machine.sudo:
        raise RejectedError("Nothing can be changed there", "you are not root, and there is no sudo", "log in as root")
