"""The releases: takes an artifact in, checks it as a device would, numbers it, keeps it and has it signed.

Deploying is the work of fleet/fleet.py, sending that of fleet/publisher.py.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloud_shim.database import Database
from cloud_shim.people.identity import ForbiddenError
from cloud_shim.releases import patching
from cloud_shim.releases.blobs import Blobs
from cloud_shim.releases.release import Release
from cloud_shim.tables import PatchRow, ReleaseRow
from cloud_shim.trust.signing import Signing
from device.artifact import archive, inspection
from device.errors import BadArtifactError, NotFoundError
from device.protocol import chunks
from device.protocol.chunks import CHUNK_SIZE, MAX_ARTIFACT
from device.protocol.deployment import MAX_PATCHES, Deployment, Patch
from device.protocol.manifest import FunctionManifest


@dataclass(frozen=True)
class Chunk:
    """One chunk of an artifact: its digest, and where its bytes are: `length` of the blob, from `start` on."""

    digest: str
    blob: str
    start: int
    length: int


def _anywhere(candidate: Release) -> None:
    """Fits everything: the release is meant for no device yet."""


class Registry:
    """Every release of the fleet, by kind and name; each numbered from 1."""

    def __init__(self, database: Database, blobs: Blobs, signing: Signing) -> None:
        self._database = database
        self._blobs = blobs
        self._signing = signing
        self._adding = threading.Lock()

    def add(
        self, data: bytes, by: str = "", agents: bool = True, fits: Callable[[Release], None] = _anywhere
    ) -> Release:
        """The release with these bytes, signed: a new one, made by `by`, or the one already there.

        `fits` sees a new one before it has a number (its version is 0), and may raise: then no number is used up.
        Raises BadArtifactError for bytes a device would refuse, RejectedError for new ones while the shim has no
        release key, ForbiddenError for an agent when `agents` is False.
        """
        _check_length(data)
        with self._adding:
            release = self._by_digest(chunks.digest(data))
            if release is None:
                self._signing.check_can_release()
                release = self._new(data, by, agents, fits)
            _check_agent(release.kind, agents)
            self.sign(release)
            return release

    def take_in(
        self, data: bytes, by: str = "", agents: bool = True, fits: Callable[[Release], None] = _anywhere
    ) -> Release:
        """As `add`. But when the shim has no release key, the release is left for its owner to sign."""
        _check_length(data)
        with self._adding:
            release = self._by_digest(chunks.digest(data)) or self._new(data, by, agents, fits)
            _check_agent(release.kind, agents)
            if "image-releases" in self._signing.held():
                self.sign(release)
            return release

    def signed(self, release: Release) -> bool:
        """Whether the release may be deployed."""
        return self._signing.lists(release.ref)

    def sign(self, release: Release) -> None:
        """See to it that the release is signed, with its patches; a signed one stays as it is."""
        ref = release.ref
        self._signing.release(ref.kind, ref.name, ref.version, ref.digest, ref.length, ref.patches)

    def check_clock(self) -> None:
        """RejectedError while the shim's clock is in doubt: nothing new would reach a device."""
        self._signing.clock.check()

    def find(self, kind: str, name: str, version: int) -> Release:
        """The release of this version; NotFoundError naming the versions there are."""
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

    def functions_of(self, deployment: Deployment) -> dict[str, FunctionManifest]:
        """The manifest of each function of the deployment."""
        digests = {ref.digest for ref in deployment.functions.values()}
        return {release.name: release.function for release in self.by_digests(digests)}

    def chunks(self, digests: set[str]) -> list[Chunk]:
        """These artifacts and patches as they travel: of each its index first, if it has one, then its chunks."""
        with self._database.read() as session:
            # Two patches from different bases may be the same bytes.
            known = {
                (digest, length, index)
                for each in (ReleaseRow, PatchRow)
                for digest, length, index in session.execute(
                    select(each.sha256, each.length, each.chunk_index).where(each.sha256.in_(digests))
                )
            }
        return [chunk for each in sorted(known) for chunk in self._cut(*each)]

    def _cut(self, artifact: str, length: int, index: str) -> list[Chunk]:
        if not index:
            return [Chunk(artifact, artifact, 0, length)]
        listed = self._blobs.get(index)
        parts = [
            Chunk(digest, artifact, number * CHUNK_SIZE, CHUNK_SIZE)
            for number, digest in enumerate(chunks.decode_index(listed, length))
        ]
        return [Chunk(index, index, 0, len(listed)), *parts]

    def bytes_of(self, chunk: Chunk) -> bytes:
        """The chunk's bytes."""
        return self._blobs.get(chunk.blob, chunk.start, chunk.length)

    def path(self, release: Release) -> Path:
        """The release's bytes, as a tar."""
        return self._blobs.path(release.sha256)

    def unpack(self, release: Release, into: Path) -> None:
        """The release's files as the new folder `into`."""
        archive.unpack(self._blobs.path(release.sha256), into)

    def _by_digest(self, digest: str) -> Release | None:
        return next(iter(self.by_digests({digest})), None)

    def _new(self, data: bytes, by: str, agents: bool, fits: Callable[[Release], None]) -> Release:
        found = _inspect(data)
        _check_agent(found.kind, agents)
        fits(Release(found.kind, found.name, 0, chunks.digest(data), len(data), "", found.manifest, time.time()))
        digest = self._blobs.put(data)
        patches = [
            self._patch_row(digest, base, patch) for base, patch in self._make_patches(found.kind, found.name, data)
        ]
        # The number is taken before it is signed: a signed number must never be free for other bytes.
        with self._database.write() as session:
            row = ReleaseRow(
                kind=found.kind,
                name=found.name,
                version=_last_version(session, found.kind, found.name) + 1,
                sha256=digest,
                length=len(data),
                chunk_index=self._put_index(data),
                manifest=found.manifest,
                created=time.time(),
                by=by,
                patches=patches,
            )
            session.add(row)
        return _release(row)

    def _make_patches(self, kind: str, name: str, data: bytes) -> list[tuple[str, bytes]]:
        """The useful patches to `data` from the releases before it, each with its base's digest."""
        of_name = select(ReleaseRow).where(ReleaseRow.kind == kind, ReleaseRow.name == name)
        with self._database.read() as session:
            bases = list(session.scalars(of_name.order_by(ReleaseRow.version.desc()).limit(MAX_PATCHES)))
        made = ((base.sha256, patching.make(self._blobs.path(base.sha256), data)) for base in bases)
        return [(base, patch) for base, patch in made if patch is not None]

    def _patch_row(self, artifact: str, base: str, patch: bytes) -> PatchRow:
        digest, index = self._blobs.put(patch), self._put_index(patch)
        return PatchRow(artifact=artifact, base=base, sha256=digest, length=len(patch), chunk_index=index)

    def _put_index(self, data: bytes) -> str:
        parts = chunks.split(data)
        return self._blobs.put(chunks.encode_index([chunks.digest(part) for part in parts])) if len(parts) > 1 else ""


def _check_agent(kind: str, agents: bool) -> None:
    if kind == "agent" and not agents:
        raise ForbiddenError(
            "This token may not release an agent",
            "an agent runs a whole board, so it needs the permission administer",
            "use another token, or ask the shim's owner",
        )


def _check_length(data: bytes) -> None:
    if len(data) > MAX_ARTIFACT:
        raise BadArtifactError(f"The artifact has {len(data)} bytes", f"at most {MAX_ARTIFACT} can be sent")


def _last_version(session: Session, kind: str, name: str) -> int:
    of_name = select(func.max(ReleaseRow.version)).where(ReleaseRow.kind == kind, ReleaseRow.name == name)
    return session.scalar(of_name) or 0


def _release(row: ReleaseRow) -> Release:
    return Release(
        row.kind,
        row.name,
        row.version,
        row.sha256,
        row.length,
        row.chunk_index,
        row.manifest,
        row.created,
        tuple(
            Patch(row.kind, row.name, row.version, each.base, each.sha256, each.length, each.chunk_index)
            for each in row.patches
        ),
        row.by,
    )


def _inspect(data: bytes) -> inspection.Found:
    """What the artifact is; BadArtifactError when a device would refuse it. A process apart looks at it."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        archive.unpack(data, tree)
        return inspection.inspect(tree)
