"""The artifacts' bytes on disk, each under its own sha256. The meaning of the bytes is left to others."""

import os
import tempfile
from pathlib import Path

from device.protocol import chunks


class Blobs:
    """A folder of files named by their digests. A file never changes once it is there, so the folder needs no lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        """Keep `data`, durably when this returns; gives its digest."""
        digest = chunks.digest(data)
        path = self.path(digest)
        if path.exists():
            return digest
        path.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".new-", delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
        for folder in (path.parent, self._folder):
            _sync(folder)
        return digest

    def get(self, digest: str, start: int = 0, length: int = -1) -> bytes:
        """`length` bytes of the blob from `start` on (-1: all of them); FileNotFoundError for an unknown digest."""
        with self.path(digest).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def path(self, digest: str) -> Path:
        """Where the blob lies."""
        return self._folder / digest[:2] / digest


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
