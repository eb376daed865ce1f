"""What is on disk, by digest: chunks and artifacts as they came, and artifacts unpacked.

    blobs/<sha256>    chunks, indexes and assembled artifacts
    trees/<sha256>    unpacked artifacts, ready to run

Whatever has its final name was complete and verified when it got it, and is verified again when it is read back. It
does not know which of it is needed: `collect` is told.
"""

import hashlib
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from device.errors import BadArtifactError, RejectedError
from device.protocol.chunks import digest as digest_of
from device.update import archive, durable

# Left free whatever happens: logs, the outbox and the system need room too.
RESERVE = 16 * 1024 * 1024


class Store:
    """The blobs and trees below `folder`, which is made when it is not there."""

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._trees = folder / "trees"
        for each in (self._blobs, self._trees):
            durable.make_folder(each)
            durable.sweep(each)

    def put(self, digest: str, data: bytes) -> None:
        """Keep `data`, which must have this sha256; raises BadArtifactError when it has not."""
        if digest_of(data) != digest:
            raise BadArtifactError(f"A chunk is damaged: it should have digest {digest}")
        durable.write_file(self._blobs / digest, data)

    def get(self, digest: str) -> bytes | None:
        """The blob with this digest, or None; one that was damaged on disk is removed and so None."""
        path = self._blobs / digest
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if digest_of(data) == digest:
            return data
        durable.remove(path)
        return None

    def assemble(self, digest: str, length: int, chunks: Sequence[str]) -> None:
        """Make the artifact's blob out of its chunks' blobs, one in memory at a time; one whole chunk is it already.

        Raises BadArtifactError when they are not together `length` bytes with this digest: then the index lied.
        """
        if list(chunks) == [digest]:
            self._check_length(digest, length)
            return
        durable.write_parts(self._blobs / digest, self._joined(digest, length, chunks))

    def _joined(self, digest: str, length: int, chunks: Sequence[str]) -> Iterator[bytes]:
        sha256, total = hashlib.sha256(), 0
        for chunk in chunks:
            data = self.get(chunk)
            if data is None or total + len(data) > length:
                raise BadArtifactError(f"Artifact {digest} cannot be assembled", f"its chunk {chunk} does not fit")
            sha256.update(data)
            total += len(data)
            yield data
        if sha256.hexdigest() != digest or total != length:
            raise BadArtifactError(f"Artifact {digest} cannot be assembled", "its index lists other bytes")

    def _check_length(self, digest: str, length: int) -> None:
        data = self.get(digest)
        if data is None or len(data) != length:
            raise BadArtifactError(f"Artifact {digest} is not {length} bytes long")

    def unpack(self, digest: str) -> Path:
        """The tree of the artifact whose blob is here, unpacked now.

        Raises BadArtifactError when it is unsafe, or was not packed as `archive.pack` does: then the tree could not be
        verified later.
        """
        tree = self.tree(digest)
        durable.remove(tree)
        archive.unpack(self._blobs / digest, tree)
        if not self.check(digest):
            raise BadArtifactError(
                f"Artifact {digest} was not packed by Lamplight", "", "Pack it with `lamplight deploy`"
            )
        return tree

    def check(self, digest: str) -> bool:
        """Whether the tree is here and whole; a damaged one is removed."""
        tree = self.tree(digest)
        if not tree.is_dir():
            return False
        try:
            whole = archive.digest(tree) == digest
        except (BadArtifactError, OSError):
            whole = False
        if not whole:
            # On a failing disk it stays, and stays not whole.
            durable.discard(tree)
        return whole

    def tree(self, digest: str) -> Path:
        """Where the unpacked artifact lies, once it is there."""
        return self._trees / digest

    def trees(self) -> set[str]:
        """Digests of the unpacked artifacts."""
        return {path.name for path in self._trees.iterdir()}

    def check_room(self, needed: int) -> None:
        """Raise RejectedError when `needed` more bytes would not leave RESERVE bytes free."""
        free = shutil.disk_usage(self._blobs).free
        if free < needed + RESERVE:
            raise RejectedError(
                "There is no room for this deployment",
                f"it needs {needed} bytes, {free} are free and {RESERVE} must stay so",
                "Remove something from the board, then deploy again",
            )

    def collect(self, trees: Collection[str], blobs: Collection[str] = ()) -> None:
        """Remove every tree and blob but these."""
        for folder, keep in ((self._trees, trees), (self._blobs, blobs)):
            for path in folder.iterdir():
                if path.name not in keep:
                    durable.remove(path)
