"""How a deployment's missing artifacts get here: each whole, or as a patch on one already here.

`choose` decides and is pure; `Delivery.unpack` makes trees of the fetched bytes; the fetching is download.py's. Every
patch is optional: if it fails to make the signed artifact, BadPatchError says so, and the whole artifact can be
fetched.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from device.artifact import patch as patching
from device.artifact.patch import MAX_LENGTH, BadPatchError
from device.errors import BadArtifactError
from device.protocol.chunks import digest as digest_of
from device.protocol.deployment import ArtifactRef, Patch
from device.update.store import Store


@dataclass(frozen=True)
class Delivery:
    """The missing artifacts, each once, and the patches for some of them, by the digest of the artifact."""

    missing: Sequence[ArtifactRef]
    patches: Mapping[str, Patch]

    @property
    def fetched(self) -> list[ArtifactRef]:
        """The downloads: for each artifact its patch, or else the artifact itself."""
        return [self.patches.get(ref.digest, ref) for ref in self.missing]

    @property
    def length(self) -> int:
        """The bytes of its artifacts; with patches fewer travel."""
        return sum(ref.length for ref in self.missing)

    def blobs(self) -> set[str]:
        """Every blob of possible use: when a patch or the power fails, the rest of the arrived bytes is kept."""
        return {blob for ref in self.missing for each in ref.targets() for blob in (each.digest, each.index) if blob}

    def patched_by(self) -> set[str]:
        """The blobs for patches only: their own and their indexes."""
        return {blob for patch in self.patches.values() for blob in (patch.digest, patch.index) if blob}

    def bases(self) -> set[str]:
        """The trees its patches start from."""
        return {patch.base for patch in self.patches.values()}

    def unpack(self, store: Store, chunks: Callable[[ArtifactRef], Sequence[str]]) -> None:
        """Make a tree of each artifact, once all downloads are in the store; `chunks` gives their chunks' digests.

        Raises BadPatchError when a patch fails to make its artifact, BadArtifactError for an artifact unfit to install.
        """
        for ref in self.missing:
            patch = self.patches.get(ref.digest)
            if patch is None:
                store.verify(ref.digest, ref.length, chunks(ref))
                store.unpack(ref.digest)
            else:
                store.unpack(ref.digest, patched(ref, patch, store, chunks(patch)))


def choose(missing: Sequence[ArtifactRef], trees: Collection[str]) -> Delivery:
    """The downloads when the artifacts in `trees` are here: the shortest patch on one of them, where there is any."""
    distinct = list({ref.digest: ref for ref in missing}.values())
    usable = {ref.digest: [patch for patch in ref.patches if _useful(patch, ref, trees)] for ref in distinct}
    best = {digest: min(patches, key=lambda each: each.length) for digest, patches in usable.items() if patches}
    return Delivery(distinct, best)


def _useful(patch: Patch, ref: ArtifactRef, trees: Collection[str]) -> bool:
    return patch.base in trees and patch.length < ref.length <= MAX_LENGTH


def patched(ref: ArtifactRef, patch: Patch, store: Store, chunks: Sequence[str]) -> bytes:
    """The artifact, verified, made by the fetched patch of its base; `chunks` are the digests of the patch's own.

    Raises BadPatchError when the patch fails to make it.
    """
    try:
        store.verify(patch.digest, patch.length, chunks)
        base = store.packed(patch.base, MAX_LENGTH)
        if base is None:
            raise BadPatchError("What it starts from is damaged on disk")
        made = patching.apply(store.read(patch.digest) or b"", base, ref.length)
        if digest_of(made) != ref.digest:
            raise BadPatchError("It makes other bytes than were signed")
    except BadArtifactError as error:
        raise BadPatchError(f"The patch for {ref.name} v{ref.version} is of no use", str(error)) from None
    return made
