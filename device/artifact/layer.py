"""Reads an unpacked layer, and says whether this board can use it. It never looks at the code."""

import os
import platform
import sys
import tomllib
from functools import cache
from pathlib import Path

from device.errors import BadArtifactError, RejectedError
from device.protocol.errors import ProtocolError
from device.protocol.layer import LAYER_FILE, SITE, LayerManifest, layer
from device.protocol.reported import Platform


@cache
def this_machine() -> Platform:
    """The platform of this board, by which its wheels are chosen."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    full = f"{python}.{sys.version_info.micro}"
    return Platform(processor(platform.machine(), sys.maxsize), python, _glibc(), full)


def processor(machine: str, largest: int) -> str:
    """The processor as wheels name it: a Python of 32 bits needs those for 32, also on a kernel of 64.

    `largest` is sys.maxsize. (Raspberry Pi OS of 32 bits starts a kernel of 64 on a Pi 4.)
    """
    narrow = {"aarch64": "armv7l", "armv8l": "armv7l", "x86_64": "i686"}
    return narrow.get(machine, machine) if largest <= 2**32 else machine


def _glibc() -> int:
    try:
        told = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return 0
    name, _, version = told.partition(" ")
    minor = version.partition(".")[2]
    return int(minor) if name == "glibc" and minor.isdigit() else 0


def read(folder: Path) -> LayerManifest:
    """The layer's manifest; raises BadArtifactError."""
    if not (folder / SITE).is_dir():
        raise BadArtifactError(f"The layer has no folder {SITE}")
    try:
        return layer(tomllib.loads((folder / LAYER_FILE).read_text(encoding="utf-8")))
    except ProtocolError as error:
        raise BadArtifactError(str(error)) from None
    except (OSError, UnicodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadArtifactError(f"{LAYER_FILE} cannot be read", str(error)) from None


def check(manifest: LayerManifest) -> None:
    """Raise RejectedError when its packages cannot run on this board."""
    here = this_machine()
    # The kernel's name, too: before 0.2 a Python of 32 bits reported it, and has layers under it that work.
    known = manifest.machine in (here.machine, platform.machine())
    if known and manifest.python == here.python and manifest.glibc <= here.glibc:
        return
    raise RejectedError(
        f"The packages were chosen for {manifest.machine}, Python {manifest.python}, glibc 2.{manifest.glibc}",
        f"this board is {here.machine}, Python {here.python}, glibc 2.{here.glibc}",
        "Deploy again: `lamplight deploy` chooses them for the board as it is now",
    )
