"""What the shim checks before it adopts metadata that was signed elsewhere. Pure, but for the cryptography.

An offer is a part of the image repository, in image.json's form: `targets`, `delegated` and, when keys change, one new
`root`. The shim adds snapshot and timestamp (signing.py). A device would refuse what is refused here; this only keeps
the shim from publishing it.
"""

# tuf.api.metadata re-exports its classes in a way that pyright does not see.
# pyright: reportPrivateImportUsage=false

from collections.abc import Mapping
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets
from tuf.api.serialization import DeserializationError

from cloud_shim import release_metadata
from device.errors import RejectedError, UntrustedError
from device.protocol.fields import only, table, text

Image = Mapping[str, Any]
_ONLINE = ("snapshot", "timestamp")


def merged(image: Image, offer: Mapping[str, object], old_root: Signer | None) -> dict[str, Any]:
    """`image` with what is offered, its snapshot and timestamp left as they are.

    A new root is signed with `old_root` too, if there is one. Raises ProtocolError when the offer is malformed,
    UntrustedError when its signatures or versions do not hold, RejectedError when a release would vanish or change.
    """
    only(dict(offer), ("root", "targets", "delegated"), "offer")
    roots = list(image["root"])
    try:
        if offer.get("root"):
            roots.append(_next_root(roots, text(dict(offer), "root", "offer"), old_root))
        new = {
            **image,
            "root": roots,
            "targets": text(dict(offer), "targets", "offer", image["targets"]),
            "delegated": {**image["delegated"], **_texts(offer.get("delegated", {}))},
        }
        _check_signatures(new)
        _check_progress(image, new)
    except (RepositoryError, DeserializationError, ValueError, AttributeError) as error:
        raise UntrustedError("The signed metadata does not hold", str(error), "Sign it again on that machine") from None
    return new


def _texts(value: object) -> dict[str, str]:
    given = table(value, "offer.delegated")
    return {role: text(given, role, "offer.delegated") for role in given}


def _next_root(roots: list[str], offered: str, old_root: Signer | None) -> str:
    """The root that follows, with the old root's signature; the present one again changes nothing."""
    new = release_metadata.parse(offered)
    old: Root = release_metadata.parse(roots[-1]).signed
    if not isinstance(new.signed, Root) or new.signed.version != old.version + 1:
        raise UntrustedError("The new root does not follow the present one", f"that has version {old.version}")
    if any(set(new.signed.roles[role].keyids) != set(old.roles[role].keyids) for role in _ONLINE):
        raise UntrustedError("The new root names other online keys", "those are the shim's")
    if old_root is not None:
        new.sign(old_root, append=True)
    for root in (old, new.signed):
        root.verify_delegate("root", new.signed_bytes, new.signatures)
    return release_metadata.text_of(new)


def _check_signatures(image: Image) -> None:
    root: Root = release_metadata.parse(image["root"][-1]).signed
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
    """Versions go up where something changes, and every release stays what it is."""
    for role, before in {"targets": old["targets"], **old["delegated"]}.items():
        after = new["targets"] if role == "targets" else new["delegated"][role]
        if after == before:
            continue
        was, now = _targets(before).signed, _targets(after).signed
        if now.version <= was.version:
            raise UntrustedError(f"The offered {role} is version {now.version}", f"the shim has {was.version}")
        lost = [path for path, each in was.targets.items() if path.endswith(".tar") and now.targets.get(path) != each]
        if lost:
            raise RejectedError(
                f"{lost[0]} would vanish or change", "releases never do", "Sign on top of what is there"
            )
