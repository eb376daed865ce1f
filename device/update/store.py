"""The store on disk, by digest: blobs as their chunks arrive, and artifacts unpacked.

    blobs/<sha256>    indexes and artifacts, each chunk written once, at its place
    trees/<sha256>    unpacked artifacts, ready to run

A tree was complete and verified when it got its name. A blob may be neither: each part is verified when it is read. So
chunks are written with no fsync of their own. A kill leaves all of them; a power cut may tear at most SYNC_SECONDS of a
download, and the torn chunks are seen by their digests and fetched again. An artifact fetched and unpacked sooner never
has to reach the flash as a blob. `collect` is told the blobs and trees still in use.
"""

import errno
import hashlib
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from device import durable
from device.artifact import archive
from device.errors import BadArtifactError, LamplightError, RejectedError
from device.protocol.chunks import CHUNK_SIZE
from device.protocol.chunks import digest as digest_of

# Left free at all times: logs, the outbox and the system need room too.
RESERVE = 16 * 1024 * 1024
# A power cut may cost so many seconds of a download: on a slow link few bytes, on a fast one quickly fetched again.
SYNC_SECONDS = 10.0
# Errors of a system short of its own means: they say nothing about the disk of the file.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR)


class Store:
    """The blobs and trees below `folder`, made if it is missing. For one thread."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._blobs = folder / "blobs"
        self._trees = folder / "trees"
        self._unsynced: set[Path] = set()
        for each in (self._blobs, self._trees):
            durable.make_folder(each)
            durable.sweep(each)

    def write(self, digest: str, offset: int, data: bytes) -> None:
        """Put a chunk, verified by the caller, at its place in the blob with this digest."""
        path = self._blobs / digest
        try:
            durable.disk.write_at(path, offset, data)
        except FileNotFoundError:
            durable.create_file(path, ())
            durable.disk.write_at(path, offset, data)
        if not self._unsynced:
            self._since = self._clock()
        self._unsynced.add(path)
        if self._clock() - self._since >= SYNC_SECONDS:
            self._sync()

    def _sync(self) -> None:
        for path in self._unsynced:
            durable.disk.sync(path)
        durable.disk.sync(self._blobs)
        self._unsynced.clear()

    def read(self, digest: str) -> bytes | None:
        """The index with this digest, or None unless it is here as a whole."""
        try:
            data = (self._blobs / digest).read_bytes()
        except FileNotFoundError:
            return None
        return data if digest_of(data) == digest else None

    def lacking(self, digest: str, chunks: Sequence[str]) -> set[str]:
        """The blob's chunks missing or damaged at any of their places."""
        pieces = self._pieces(digest)
        return {chunk for chunk in chunks if digest_of(next(pieces, b"")) != chunk}

    def verify(self, digest: str, length: int, chunks: Sequence[str]) -> None:
        """Raise BadArtifactError unless the blob is `length` bytes with this digest: else its index lied.

        Raises OSError when the disk gives back bytes other than those written.
        """
        sha256, total = hashlib.sha256(), 0
        for piece in self._pieces(digest):
            sha256.update(piece)
            total += len(piece)
        if sha256.hexdigest() == digest and total == length:
            return
        if self.lacking(digest, chunks):
            raise OSError(errno.EIO, f"The disk lost a part of artifact {digest}")
        raise BadArtifactError(f"Artifact {digest} is not what was signed", "its index lists other bytes")

    def _pieces(self, digest: str) -> Iterator[bytes]:
        """The part of a blob on disk, in the lengths of its chunks; empty for a missing blob."""
        try:
            with (self._blobs / digest).open("rb") as file:
                while piece := file.read(CHUNK_SIZE):
                    yield piece
        except FileNotFoundError:
            return

    def blob(self, digest: str) -> Path:
        """The file of a blob in the store."""
        return self._blobs / digest

    def packed(self, digest: str, limit: int) -> bytes | None:
        """The artifact of a tree, packed again: packing gives the same bytes.

        None when the tree is missing or damaged, or has more than `limit` bytes in it.
        """
        tree = self.tree(digest)
        try:
            data = archive.pack(tree) if archive.size(tree) <= limit else b""
        except (LamplightError, OSError):
            return None
        return data if digest_of(data) == digest else None

    def unpack(self, digest: str, data: bytes | None = None) -> Path:
        """The tree of an artifact, unpacked now: from `data`, or from its blob in the store; either is verified.

        Raises BadArtifactError when it is unsafe, or packed otherwise than by `archive.pack`: a later check of its tree
        would fail.
        """
        tree = self.tree(digest)
        durable.remove(tree)
        if not archive.unpack(self._blobs / digest if data is None else data, tree):
            durable.remove(tree)
            raise BadArtifactError(
                f"Artifact {digest} was not packed by Lamplight", "", "Pack it with `lamplight deploy`"
            )
        return tree

    def check(self, digest: str) -> bool:
        """Whether the tree is here and whole; a damaged one is removed.

        Raises OSError when the system lacks the means to read it: the tree may be whole all the same.
        """
        tree = self.tree(digest)
        if not tree.is_dir():
            return False
        try:
            whole = archive.digest(tree) == digest
        except BadArtifactError:
            whole = False
        except OSError as error:
            if error.errno in _EXHAUSTED:
                raise
            whole = False
        if not whole:
            # On a failing disk it stays, and stays damaged.
            durable.discard(tree)
        return whole

    def tree(self, digest: str) -> Path:
        """Where the unpacked artifact lies, once it is there."""
        return self._trees / digest

    def trees(self) -> set[str]:
        """Digests of the unpacked artifacts."""
        return {path.name for path in self._trees.iterdir()}

    def check_room(self, needed: int) -> None:
        """Raise RejectedError when `needed` more bytes would leave fewer than RESERVE bytes free."""
        free = shutil.disk_usage(self._blobs).free
        if free < needed + RESERVE:
            raise RejectedError(
                "There is no room for this deployment",
                f"it needs {_megabytes(needed)}; of {_megabytes(free)} free, {_megabytes(RESERVE)} must stay so",
                "Remove something from the board, then deploy again",
            )

    def collect(self, trees: Collection[str], blobs: Collection[str] = ()) -> None:
        """Remove every tree and blob but these."""
        for folder, keep in ((self._trees, trees), (self._blobs, blobs)):
            for path in folder.iterdir():
                if path.name not in keep:
                    self._unsynced.discard(path)
                    durable.remove(path)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
