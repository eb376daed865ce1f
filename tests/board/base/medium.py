"""Writes an image with Raspberry Pi OS's layout: a partition table, a FAT boot partition, an ext4 root. No mounting.

It does not know what the files are for.
"""

import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.board.base import recipe

_SECTOR = 512
_FAT, _LINUX = 0x0C, 0x83
_TOOLS = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def write(image: Path, boot: Mapping[str, Path], root: Path) -> None:
    """Make `image` with the files `boot` (by their name on the partition) and a copy of the tree `root`."""
    second = recipe.BOOT_START + recipe.BOOT_SIZE
    with image.open("wb") as file:
        file.truncate(recipe.CARD_SIZE)
        file.write(_table(second))
    _run(
        "mkfs.vfat",
        "-F",
        "32",
        "-s",
        "1",
        "-n",
        "bootfs",
        "--offset",
        recipe.BOOT_START // _SECTOR,
        image,
        recipe.BOOT_SIZE // 1024,
    )
    for name, source in boot.items():
        _run("mcopy", "-i", f"{image}@@{recipe.BOOT_START}", source, f"::/{name}")
    size = f"{(recipe.CARD_SIZE - second) // 1024}k"
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "rootfs", "-E", f"offset={second}", "-d", root, image, size)


def read(image: Path, name: str) -> bytes:
    """A file of the image's boot partition."""
    command = ["mtype", "-i", f"{image}@@{recipe.BOOT_START}", f"::/{name}"]
    return subprocess.run(command, check=True, capture_output=True, env=_TOOLS).stdout


def change(image: Path, files: Mapping[str, bytes], gone: Sequence[str]) -> None:
    """Write `files` to the image's boot partition, over those that are there, and take those in `gone` away."""
    partition = f"{image}@@{recipe.BOOT_START}"
    for name, data in files.items():
        with tempfile.NamedTemporaryFile() as source:
            source.write(data)
            source.flush()
            _run("mcopy", "-o", "-i", partition, source.name, f"::/{name}")
    for name in gone:
        _run("mdel", "-i", partition, f"::/{name}")


def _table(second: int) -> bytes:
    """A master boot record with the two partitions."""
    sizes = ((_FAT, recipe.BOOT_START, recipe.BOOT_SIZE), (_LINUX, second, recipe.CARD_SIZE - second))
    entries = b"".join(
        struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start // _SECTOR, size // _SECTOR)
        for kind, start, size in sizes
    )
    return bytes(440) + struct.pack("<IH", recipe.DISK_ID, 0) + entries + bytes(32) + b"\x55\xaa"


def _run(*command: object) -> None:
    subprocess.run([str(each) for each in command], check=True, stdout=subprocess.DEVNULL, env=_TOOLS)
