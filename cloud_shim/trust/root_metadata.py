"""Root metadata of either repository: the next one with other keys, and the signatures it lacks. Pure.

A root names the keys of every role, and how many of the root's own keys must sign the next root. TUF asks for the
signatures of both roots: of the old one and of the new one. Private keys, and signing with them, are elsewhere.
"""

# tuf.api.metadata re-exports its classes in a way that pyright does not see.
# pyright: reportPrivateImportUsage=false

from collections.abc import Collection, Iterable
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signature
from tuf.api.metadata import Metadata, Root

from cloud_shim.trust import release_metadata
from device.errors import RejectedError

# A change of keys is signed by people, and each of them has a machine.
MAX_HOLDERS = 16


def root_of(text: str) -> Root:
    """The root signed in `text`."""
    return release_metadata.parse(text).signed


def with_key(root: Root, roles: Iterable[str], new: Key, instead_of: Collection[str] | None = None) -> Root:
    """The root with `new` for these roles, in place of the keys with these ids, None for all keys of the role."""
    for role in roles:
        for old in list(root.roles[role].keyids):
            if instead_of is None or old in instead_of:
                root.revoke_key(old, role)
        root.add_key(new, role)
    return root


def with_holders(root: Root, keys: Iterable[Key], threshold: int) -> Root:
    """The root with these keys as its holders: any `threshold` of them together may replace it, and no other key.

    RejectedError for a threshold or keys that make no such root.
    """
    keys = list(keys)
    if not 1 <= threshold <= len(keys) or len({key.keyid for key in keys}) != len(keys) or len(keys) > MAX_HOLDERS:
        raise RejectedError(
            f"{threshold} of {len(keys)} keys cannot be asked for",
            f"at least 1, and no more than there are; each key once, and at most {MAX_HOLDERS} of them",
        )
    for old in list(root.roles["root"].keyids):
        root.revoke_key(old, "root")
    for key in keys:
        root.add_key(key, "root")
    root.roles["root"].threshold = threshold
    return root


def without_key(root: Root, keyid: str) -> Root:
    """The root without one of its holders' keys; RejectedError when too few would be left."""
    role = root.roles["root"]
    if len(role.keyids) <= role.threshold:
        raise RejectedError(
            "Too few keys would be left to change anything",
            f"{role.threshold} of {len(role.keyids)} must sign",
            "`lamplight keys holders` with a lower --threshold, or with another machine's key in its place",
        )
    root.revoke_key(keyid, "root")
    return root


def names_other(text: str, role: str, keyid: str) -> bool:
    """Whether the root has another key than this for the role."""
    return keyid not in root_of(text).roles[role].keyids


def missing(old: str, new: str) -> int:
    """How many signatures `new` lacks to replace `old`, at the least; 0 when it may."""
    metadata = release_metadata.parse(new)
    lacking = [_lacking(root, metadata) for root in (root_of(old), metadata.signed)]
    return max(lacking)


def _lacking(root: Root, metadata: Metadata[Any]) -> int:
    found = root.get_root_verification_result(None, metadata.signed_bytes, metadata.signatures).first
    return max(0, found.threshold - len(found.signed))


def joined(old: str, one: str, other: str) -> str:
    """`one` with the good signatures of `other`, where both sign the same; otherwise with its own good ones only.

    Good signatures are by keys named in `old` or in the new root: a stranger's are dropped.
    """
    metadata, second = release_metadata.parse(one), release_metadata.parse(other)
    same = metadata.signed_bytes == second.signed_bytes
    found = [*metadata.signatures.items(), *(second.signatures.items() if same else ())]
    keys = {**root_of(old).keys, **metadata.signed.keys}
    metadata.signatures.clear()
    for keyid, signature in found:
        if keyid in keys and _is_good(keys[keyid], signature, metadata.signed_bytes):
            metadata.signatures[keyid] = signature
    return release_metadata.text_of(metadata)


def _is_good(key: Key, signature: Signature, data: bytes) -> bool:
    try:
        key.verify_signature(signature, data)
    except UnverifiedSignatureError:
        return False
    return True


def description(old: str, new: str) -> list[str]:
    """The whole content of the new root for its signer, a line for each role: "new" are keys not in `old`."""
    before, after = root_of(old), root_of(new)
    lines: list[str] = []
    for name, role in after.roles.items():
        was = before.roles[name].keyids
        keys = ", ".join(keyid[:12] + (" (new)" if keyid not in was else "") for keyid in role.keyids)
        gone = "".join(f", without {keyid[:12]}" for keyid in was if keyid not in role.keyids)
        lines.append(f"{name}: {role.threshold} of {len(role.keyids)}: {keys}{gone}")
    return lines
