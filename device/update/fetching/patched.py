"""How what a deployment lacks gets here: each artifact whole, or as a patch on one that is here already.

`choose` decides, without I/O; `Delivery.unpack` makes trees of what was fetched. A patch is never needed: whenever one
does not make the signed artifact, BadPatchError says so, and the whole artifact can be fetched. It fetches nothing.
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
    """The artifacts that lack, each once, and the patches that bring some of them, by the digest of the artifact."""

    missing: Sequence[ArtifactRef]
    patches: Mapping[str, Patch]

    @property
    def fetched(self) -> list[ArtifactRef]:
        """What is to be fetched: the patch, or else the artifact."""
        return [self.patches.get(ref.digest, ref) for ref in self.missing]

    @property
    def length(self) -> int:
        """The bytes of the artifacts that it brings; with patches fewer travel."""
        return sum(ref.length for ref in self.missing)

    def blobs(self) -> set[str]:
        """Every blob that may be of use: when a patch fails, or the power does, what arrived of the rest is kept."""
        return {blob for ref in self.missing for each in ref.targets() for blob in (each.digest, each.index) if blob}

    def patched_by(self) -> set[str]:
        """The blobs that only patches need: their own and their indexes."""
        return {blob for patch in self.patches.values() for blob in (patch.digest, patch.index) if blob}

    def bases(self) -> set[str]:
        """The trees that its patches start from."""
        return {patch.base for patch in self.patches.values()}

    def unpack(self, store: Store, chunks: Callable[[ArtifactRef], Sequence[str]]) -> None:
        """Make a tree of each artifact, all that is fetched being in the store; `chunks` gives their chunks' digests.

        Raises BadPatchError when a patch does not make its artifact, BadArtifactError for an artifact that must not be
        installed.
        """
        for ref in self.missing:
            patch = self.patches.get(ref.digest)
            if patch is None:
                store.verify(ref.digest, ref.length, chunks(ref))
                store.unpack(ref.digest)
            else:
                store.unpack(ref.digest, patched(ref, patch, store, chunks(patch)))


def choose(missing: Sequence[ArtifactRef], trees: Collection[str]) -> Delivery:
    """What to fetch when the artifacts in `trees` are here: the shortest patch on one of them, where there is any."""
    distinct = list({ref.digest: ref for ref in missing}.values())
    usable = {ref.digest: [patch for patch in ref.patches if _useful(patch, ref, trees)] for ref in distinct}
    best = {digest: min(patches, key=lambda each: each.length) for digest, patches in usable.items() if patches}
    return Delivery(distinct, best)


def _useful(patch: Patch, ref: ArtifactRef, trees: Collection[str]) -> bool:
    return patch.base in trees and patch.length < ref.length <= MAX_LENGTH


def patched(ref: ArtifactRef, patch: Patch, store: Store, chunks: Sequence[str]) -> bytes:
    """The artifact, verified, as the fetched patch makes it of its base; `chunks` are the digests of the patch's own.

    Raises BadPatchError when it does not.
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
