"""The shim's checks before it adopts metadata signed elsewhere. Pure, but for the cryptography.

An offer is a part of the image repository, in image.json's form: `targets`, `delegated` and, when keys change, one new
`root`; or a new root of the director. The shim adds snapshot and timestamp (signing.py). A device would refuse the same
offers; the checks only keep the shim from publishing them.
"""

# tuf.api.metadata re-exports its classes in a way that pyright does not see.
# pyright: reportPrivateImportUsage=false

from collections.abc import Generator, Mapping, Set
from contextlib import contextmanager
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets
from tuf.api.serialization import DeserializationError

from cloud_shim.trust import release_metadata, root_metadata
from device.errors import RejectedError, UntrustedError
from device.protocol.fields import only, table, text

Image = Mapping[str, Any]


def merged(image: Image, offer: Mapping[str, object]) -> dict[str, Any]:
    """`image` with the offer in it, its snapshot and timestamp as they are.

    A `root` in the offer comes from `next_root`. Raises ProtocolError when the offer is malformed, UntrustedError when
    its signatures or versions do not hold, RejectedError when a release would vanish or change.
    """
    only(dict(offer), ("root", "targets", "delegated"), "offer")
    with _refused():
        new = {
            **image,
            "root": [*image["root"], *([offer["root"]] if offer.get("root") else [])],
            "targets": text(dict(offer), "targets", "offer", image["targets"]),
            "delegated": {**image["delegated"], **_texts(offer.get("delegated", {}))},
        }
        _check_signatures(new)
        _check_progress(image, new)
    return new


def next_root(present: str, offered: str, online: Set[str], signer: Signer | None) -> str:
    """The offered root with its good signatures, and with `signer`'s where the shim has the old root's key.

    `online` are the ids of the keys the shim can sign with: with others named it would be unable to sign. Raises
    UntrustedError when the root does not follow the present one, or names others. Whether enough have signed is checked
    elsewhere.
    """
    with _refused():
        new = release_metadata.parse(offered)
        old = root_metadata.root_of(present)
        if not isinstance(new.signed, Root) or new.signed.version != old.version + 1:
            raise UntrustedError("The new root does not follow the present one", f"that has version {old.version}")
        for role in _daily(old):
            named = new.signed.roles[role]
            if len(named.keyids) != 1 or named.threshold != 1 or named.keyids[0] not in online:
                raise UntrustedError("The new root names other online keys", "those are the shim's")
        if signer is not None and signer.public_key.keyid in old.roles["root"].keyids:
            new.sign(signer, append=True)
        signed = root_metadata.joined(present, release_metadata.text_of(new), offered)
        if not set(release_metadata.parse(signed).signatures) & set(old.roles["root"].keyids):
            raise ValueError("none of the keys that may change keys has signed it")
        return signed


def _daily(root: Root) -> list[str]:
    """The roles the shim signs day by day: they share the key of the timestamp."""
    online = root.roles["timestamp"].keyids
    return [role for role, each in root.roles.items() if each.keyids == online]


@contextmanager
def _refused() -> Generator[None]:
    """Turns python-tuf's errors about bad metadata into our own."""
    try:
        yield
    except (RepositoryError, DeserializationError, ValueError, AttributeError, KeyError) as error:
        raise UntrustedError("The signed metadata does not hold", str(error), "Sign it again on that machine") from None


def _texts(value: object) -> dict[str, str]:
    given = table(value, "offer.delegated")
    return {role: text(given, role, "offer.delegated") for role in given}


def _check_signatures(image: Image) -> None:
    root = root_metadata.root_of(image["root"][-1])
    top = _targets(image["targets"])
    root.verify_delegate("targets", top.signed_bytes, top.signatures)
    for role, each in image["delegated"].items():
        signed = _targets(each)
        top.signed.verify_delegate(role, signed.signed_bytes, signed.signatures)


def _targets(value: str) -> Metadata[Targets]:
    metadata = release_metadata.parse(value)
    if not isinstance(metadata.signed, Targets):
        raise UntrustedError("The signed metadata is of another kind", f"{metadata.signed.type} in place of targets")
    return metadata


def _check_progress(old: Image, new: Image) -> None:
    """Check that versions go up where something changes, that every release stays as it is, and every withdrawal.

    New keys may drop both: a thief of the old ones may have planted a release, or withdrawn a good one.
    """
    new_keys = _signers(old) != _signers(new)
    if not new_keys:
        _check_withdrawals(old["targets"], new["targets"])
    for role, before in {"targets": old["targets"], **old["delegated"]}.items():
        after = new["targets"] if role == "targets" else new["delegated"][role]
        if after == before:
            continue
        was, now = _targets(before).signed, _targets(after).signed
        if now.version <= was.version:
            raise UntrustedError(f"The offered {role} is version {now.version}", f"the shim has {was.version}")
        lost = [path for path, each in was.targets.items() if path.endswith(".tar") and now.targets.get(path) != each]
        if lost and not new_keys:
            raise RejectedError(
                f"{lost[0]} would vanish or change", "releases never do", "Sign on top of what is there"
            )


def _check_withdrawals(before: str, after: str) -> None:
    known, told = ([each.to_json() for each in release_metadata.withdrawals(text)] for text in (before, after))
    if told[: len(known)] != known:
        raise RejectedError("A withdrawal would vanish or change", "withdrawals never do", "Sign on top of them")


def _signers(image: Image) -> list[str]:
    """The keys of the top role."""
    return root_metadata.root_of(image["root"][-1]).roles["targets"].keyids
