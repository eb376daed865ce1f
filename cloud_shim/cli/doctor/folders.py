"""The folders and secrets of the shim: there, and closed to others."""

import stat
from collections.abc import Sequence
from pathlib import Path

from cloud_shim.broker import setup as broker
from device.doctor.check import Finding, fail, ok, skip
from device.doctor.credentials import others, unchangeable


def folder(path: Path) -> Finding:
    """Whether the folder is closed to all writers but its owner."""
    return unchangeable(path) if path.exists() else skip(f"{path} is not there yet")


def secrets(cloud: Path) -> list[Path]:
    """The files for the owner's eyes only: signing keys and passwords."""
    where = broker.folder(cloud)
    return [*sorted((cloud / "signing" / "keys").glob("*.pem")), where / "passwords", where / "shim.password"]


def closed(files: Sequence[Path]) -> Finding:
    """Whether these files, as far as they are there, can be read by their owner only."""
    there = [each for each in files if each.exists()]
    lax = [each for each in there if others(each, stat.S_IRWXG | stat.S_IRWXO)]
    if lax:
        return fail(
            f"open to others: {', '.join(each.name for each in lax)}",
            f"`chmod 600 {' '.join(map(str, lax))}`. Whoever read them meanwhile can sign or connect: make new ones",
        )
    return ok(f"{len(there)} files are closed to others") if there else skip("there are no secrets yet")
