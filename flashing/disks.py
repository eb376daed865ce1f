"""The disks of this machine, and which of them may get a card image.

Linux only: `lsblk` (util-linux) tells. `refusal` decides from lsblk's answer; nothing here opens a disk.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from device.errors import LamplightError, NotFoundError, RejectedError, UsageError

_COLUMNS = "PATH,TYPE,SIZE,RM,HOTPLUG,RO,TRAN,VENDOR,MODEL,MOUNTPOINTS"
# A disk with one of these mounted is this system's own.
_SYSTEM = (
    "/",
    "/boot",
    "/boot/efi",
    "/boot/firmware",
    "/etc",
    "/home",
    "/nix",
    "/opt",
    "/root",
    "/usr",
    "/var",
    "[SWAP]",
)
_LSBLK_SECONDS = 30
# Linux' name for the first hardware boot area of an eMMC device, after the device's own.
_BOOT_AREA = "boot0"


@dataclass(frozen=True)
class Disk:
    """One disk; `size` in bytes, `mounts` of it and everything on it."""

    path: str
    kind: str
    title: str
    size: int
    removable: bool
    read_only: bool
    mounts: Sequence[str]

    def to_json(self) -> dict[str, object]:
        """The form of `doctor --json`."""
        return {"path": self.path, "title": self.title, "size": self.size, "mounts": list(self.mounts)}


def disks() -> Sequence[Disk]:
    """Every disk, as lsblk tells. LamplightError when lsblk is missing or silent."""
    if shutil.which("lsblk") is None:
        raise LamplightError(
            "The disks of this machine cannot be seen",
            "there is no `lsblk`",
            "write the image with Raspberry Pi Imager",
        )
    command = ["lsblk", "--json", "--bytes", "--output", _COLUMNS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LSBLK_SECONDS, check=True)
        return _without_built_in([_disk(each) for each in json.loads(done.stdout)["blockdevices"]])
    except (subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise LamplightError("The disks of this machine cannot be seen", f"lsblk: {error}") from error


def find(path: str, known: Sequence[Disk]) -> Disk:
    """The disk at `path`, or at the target of the link `path`. NotFoundError lists the disks a card may be in."""
    real = str(Path(path).resolve())
    for each in known:
        if each.path == real:
            return each
    raise NotFoundError(f"There is no disk {path}", _listed(readers(known)), "`flash.py doctor` shows card readers")


def only_reader(known: Sequence[Disk]) -> Disk:
    """The one removable disk with a card; NotFoundError for none, UsageError for several."""
    found = readers(known)
    if not found:
        raise NotFoundError("No card was found", "no removable disk has one", "put the card into a reader")
    if len(found) > 1:
        raise UsageError("Which card?", _listed(found), "name one of them")
    return found[0]


def readers(known: Sequence[Disk]) -> Sequence[Disk]:
    """The disks with a card: removable, with something in it, and other than the system's."""
    return [each for each in known if each.removable and each.size and not _system_mounts(each)]


def refuse(disk: Disk, size: int) -> None:
    """RejectedError unless an image of `size` bytes may be written to `disk`; it says why."""
    reason = _reason(disk, size)
    if reason is not None:
        raise RejectedError(f"{disk.path} ({disk.title}) is not written to", *reason)


def _reason(disk: Disk, size: int) -> tuple[str, str] | None:
    if disk.kind != "disk":
        return f"it is no whole disk but of the kind {disk.kind!r}", "name the disk that it is on"
    if system := _system_mounts(disk):
        return f"this system runs from it: it has {', '.join(system)}", "name the card"
    if not disk.removable:
        return "it is built in: only removable disks are written to", "name the card"
    if disk.size == 0:
        return "there is no card in it", "put one in"
    if disk.read_only:
        return "it is write-protected", "move the slider at the card's side"
    if disk.mounts:
        return f"it is in use at {', '.join(disk.mounts)}", f"umount {' '.join(disk.mounts)}"
    if disk.size < size:
        return f"it has {disk.size:,} bytes, the image {size:,}", "use a larger card"
    return None


def _system_mounts(disk: Disk) -> list[str]:
    return [each for each in disk.mounts if each in _SYSTEM]


def _listed(found: Sequence[Disk]) -> str:
    return "there are " + ", ".join(f"{each.path} ({each.title})" for each in found) if found else "there is none"


def _disk(told: Mapping[str, Any]) -> Disk:
    words = [str(told[key]).strip() for key in ("vendor", "model") if told.get(key)]
    size = int(told["size"])
    return Disk(
        path=str(told["path"]),
        kind=str(told["type"]),
        title=", ".join([" ".join(words) or "unnamed", f"{size / 1e9:.1f} GB"]),
        size=size,
        # A reader inside a laptop is hot-pluggable; one on USB often only names its connection.
        removable=bool(told["rm"] or told["hotplug"] or told.get("tran") in ("usb", "mmc")),
        read_only=bool(told["ro"]),
        mounts=[*_mounts(told)],
    )


def _without_built_in(found: Sequence[Disk]) -> Sequence[Disk]:
    """The same, with soldered memory (eMMC) as built in. It hangs on a card's bus, but unlike a card has boot areas."""
    built_in = tuple(each.path.removesuffix(_BOOT_AREA) for each in found if each.path.endswith(_BOOT_AREA))
    areas = {f"{path}{area}" for path in built_in for area in ("", _BOOT_AREA, "boot1")}
    return [replace(each, removable=each.removable and each.path not in areas) for each in found]


def _mounts(told: Mapping[str, Any]) -> Iterator[str]:
    mounted: list[str | None] = told.get("mountpoints") or []
    children: list[dict[str, Any]] = told.get("children") or []
    yield from (each for each in mounted if each)
    for child in children:
        yield from _mounts(child)
