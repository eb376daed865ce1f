"""The releases: takes an artifact in, checks it as a device would, numbers it, keeps it and has it signed.

It does not deploy anything (fleet.py) and sends nothing (publisher.py).
"""

import json
import tempfile
import threading
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud_shim.blobs import Blobs
from cloud_shim.database import Database, ReleaseRow
from cloud_shim.releases import Release
from cloud_shim.signing import Signing
from device.errors import BadArtifactError, NotFoundError
from device.protocol import chunks
from device.protocol.chunks import CHUNK_SIZE, MAX_ARTIFACT
from device.update import archive, bundle


@dataclass(frozen=True)
class Chunk:
    """One chunk of an artifact: its digest, and where its bytes are: `length` of the blob, from `start` on."""

    digest: str
    blob: str
    start: int
    length: int


class Registry:
    """Every release of the fleet, by kind and name; each numbered from 1."""

    def __init__(self, database: Database, blobs: Blobs, signing: Signing) -> None:
        self._database = database
        self._blobs = blobs
        self._signing = signing
        self._adding = threading.Lock()

    def add(self, data: bytes) -> Release:
        """The release with these bytes: a new one, or the one that already has them.

        Raises BadArtifactError when a device would refuse them.
        """
        if len(data) > MAX_ARTIFACT:
            raise BadArtifactError(f"The artifact has {len(data)} bytes", f"at most {MAX_ARTIFACT} can be sent")
        with self._adding:
            release = self._by_digest(chunks.digest(data)) or self._new(data)
            self.sign(release)
            return release

    def sign(self, release: Release) -> None:
        """See to it that the release is signed; nothing happens when it is."""
        self._signing.release(release.kind, release.name, release.version, release.sha256, release.length)

    def find(self, kind: str, name: str, version: int) -> Release:
        """That release; NotFoundError naming the versions there are."""
        with self._database.read() as session:
            of_name = select(ReleaseRow).where(ReleaseRow.kind == kind, ReleaseRow.name == name)
            row = session.scalar(of_name.where(ReleaseRow.version == version))
            if row is not None:
                return _release(row)
            known = [f"v{each.version}" for each in session.scalars(of_name.order_by(ReleaseRow.version))]
        raise NotFoundError(
            f"There is no release v{version} of the {kind} {name}", f"there are: {', '.join(known) or 'none'}"
        )

    def all(self) -> list[Release]:
        """Every release, newest first."""
        with self._database.read() as session:
            return [_release(row) for row in session.scalars(select(ReleaseRow).order_by(ReleaseRow.id.desc()))]

    def by_digests(self, digests: set[str]) -> list[Release]:
        """The releases with these bytes."""
        with self._database.read() as session:
            return [_release(row) for row in session.scalars(select(ReleaseRow).where(ReleaseRow.sha256.in_(digests)))]

    def chunks(self, release: Release) -> list[Chunk]:
        """What the release travels as: its index first, when it has one, then its chunks in order."""
        if not release.index:
            return [Chunk(release.sha256, release.sha256, 0, release.length)]
        index = self._blobs.get(release.index)
        parts = [
            Chunk(digest, release.sha256, number * CHUNK_SIZE, CHUNK_SIZE)
            for number, digest in enumerate(chunks.decode_index(index, release.length))
        ]
        return [Chunk(release.index, release.index, 0, len(index)), *parts]

    def bytes_of(self, chunk: Chunk) -> bytes:
        """The chunk's bytes."""
        return self._blobs.get(chunk.blob, chunk.start, chunk.length)

    def unpack(self, release: Release, into: Path) -> None:
        """The release's files as the new folder `into`."""
        archive.unpack(self._blobs.path(release.sha256), into)

    def _by_digest(self, digest: str) -> Release | None:
        return next(iter(self.by_digests({digest})), None)

    def _new(self, data: bytes) -> Release:
        kind, name, manifest_json = _inspect(data)
        self._blobs.put(data)
        # The number is taken before it is signed: a signed number must never be free for other bytes.
        with self._database.write() as session:
            row = ReleaseRow(
                kind=kind,
                name=name,
                version=_last_version(session, kind, name) + 1,
                sha256=chunks.digest(data),
                length=len(data),
                chunk_index=self._put_index(data),
                manifest=manifest_json,
                created=time.time(),
            )
            session.add(row)
        return _release(row)

    def _put_index(self, data: bytes) -> str:
        parts = chunks.split(data)
        return self._blobs.put(chunks.encode_index([chunks.digest(part) for part in parts])) if len(parts) > 1 else ""


def _last_version(session: Session, kind: str, name: str) -> int:
    of_name = select(func.max(ReleaseRow.version)).where(ReleaseRow.kind == kind, ReleaseRow.name == name)
    return session.scalar(of_name) or 0


def _release(row: ReleaseRow) -> Release:
    return Release(row.kind, row.name, row.version, row.sha256, row.length, row.chunk_index, row.manifest, row.created)


def _inspect(data: bytes) -> tuple[str, str, str]:
    """The artifact's kind, its name, and its manifest as JSON; BadArtifactError when a device would refuse it."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        archive.unpack(data, tree)
        try:
            kind = bundle.kind(tree)
        except NotFoundError as error:
            raise BadArtifactError(
                "The artifact is neither a function nor a model, nor the agent",
                f"it has none of {', '.join(bundle.FILES.values())}",
            ) from error
        manifest = bundle.read(tree)
        return kind, manifest.name, json.dumps(tomllib.loads((tree / bundle.FILES[kind]).read_text("utf-8")))
