"""`flash.py doctor`: looks for everything flashing needs."""

import importlib.util
import shutil
from dataclasses import asdict, dataclass

import boards
from cloud_shim.cli.options import Options, command
from cloud_shim.words import amounts
from device.errors import LamplightError
from flashing import disks, usb


@dataclass(frozen=True)
class Finding:
    """The result of one look: whether all is well, the thing found, and a remedy to try."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


@command("doctor")
def run(options: Options) -> None:
    """Find card readers, boards on USB, and missing tools. Exit code 1 when something is missing."""
    findings = [
        _library("pyfatfs"),
        _library("pip"),
        _tool("lsblk"),
        _tool("ssh"),
        _cards(),
        *_plugged(),
        _shim(options),
    ]
    rows = [[each.what, "ok" if each.ok else "missing", each.found, each.remedy] for each in findings]
    options.terminal.table({"findings": [asdict(each) for each in findings]}, rows)
    if missing := [each.what for each in findings if not each.ok]:
        raise LamplightError(f"Missing: {', '.join(missing)}", "", "do what stands beside it")


def _library(name: str) -> Finding:
    there = importlib.util.find_spec(name) is not None
    return Finding(name, there, "installed" if there else "", "" if there else "make setup")


def _tool(name: str) -> Finding:
    path = shutil.which(name)
    packages = {"lsblk": "util-linux", "ssh": "openssh-client"}
    return Finding(name, path is not None, path or "", "" if path else f"apt-get install {packages[name]}")


def _cards() -> Finding:
    try:
        found = disks.readers(disks.disks())
    except LamplightError as error:
        return Finding("card", False, str(error))
    listed = ", ".join(f"{each.path} ({each.title})" for each in found)
    return Finding("card", bool(found), listed, "" if found else "put a card into a reader")


def _plugged() -> list[Finding]:
    """The boards and ports on USB; a machine is complete without them, too."""
    known = [boards.load(each) for each in boards.names()]
    found = usb.boards_among(usb.plugged(), known)
    return [
        Finding("boards on USB", True, ", ".join(found) or "none"),
        Finding("serial ports", True, ", ".join(usb.serial_ports()) or "none"),
    ]


def _shim(options: Options) -> Finding:
    try:
        devices = options.client.devices()
    except LamplightError as error:
        return Finding("shim", False, error.what, error.remedy)
    return Finding("shim", True, f"{options.client.url}, {amounts.counted(len(devices), 'device')}")
