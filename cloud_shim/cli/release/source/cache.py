"""Wheels built here before, by the digests of their source distributions, in the person's own folder."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from device import durable


def find(digest: str) -> Iterator[tuple[str, bytes]]:
    """The file names and bytes of the wheels built from the source of this digest."""
    with contextlib.suppress(OSError):
        for each in sorted((_home() / digest).glob("*.whl")):
            yield each.name, each.read_bytes()


def keep(digest: str, file: str, data: bytes) -> None:
    """Keep the wheel; where the folder cannot be written, it is built again next time."""
    with contextlib.suppress(OSError):
        folder = _home() / digest
        folder.mkdir(parents=True, exist_ok=True)
        durable.write_file(folder / file, data)


def _home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lamplight" / "built"
