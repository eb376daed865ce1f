"""The image repository's metadata about releases. Pure: texts and python-tuf's objects in, the same out.

The shim (signing.py) and a machine with the release keys (release_keys.py) both build on it. Keys, files and
verification are theirs.
"""

# tuf.api.metadata re-exports its classes in a way that pyright does not see.
# pyright: reportPrivateImportUsage=false

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.metadata import DelegatedRole, Metadata, TargetFile, Targets
from tuf.api.serialization.json import JSONSerializer

from device.errors import RejectedError
from device.protocol import withdrawn
from device.protocol.deployment import ArtifactRef
from device.protocol.withdrawn import Withdrawal

RELEASES = timedelta(days=365)
ROOT = timedelta(days=3650)
# A target is an artifact, or a patch to one; the group is the release of either.
TARGET = re.compile(
    r"((?:function|model|layer|agent)s/[a-z0-9-]+/[1-9][0-9]*)\.(tar|from-[0-9a-f]{16}\.patch)", re.ASCII
)
# So many of a name's newest releases keep their patches.
_PATCHED = 3
_SERIALIZER = JSONSerializer(compact=True)


def role_of(ref: ArtifactRef) -> str:
    """The delegated role for the releases of this name."""
    return f"{ref.kind}s-{ref.name}"


def target(ref: ArtifactRef) -> TargetFile:
    """How metadata lists the artifact or patch."""
    return TargetFile(ref.length, {"sha256": ref.digest}, ref.target)


def with_release(targets: Mapping[str, TargetFile], ref: ArtifactRef) -> dict[str, TargetFile]:
    """A delegated role's targets with `ref` and its patches added; RejectedError if one is there with other bytes."""
    added = {each.target: target(each) for each in ref.targets()}
    if any(targets.get(path, new) != new for path, new in added.items()):
        raise RejectedError(
            f"Release {ref.name} v{ref.version} exists with other content",
            "releases never change",
            "Use the next version",
        )
    return _without_old_patches({**targets, **added})


def _without_old_patches(targets: Mapping[str, TargetFile]) -> dict[str, TargetFile]:
    """The targets a delegated role keeps: every artifact, and the patches to the newest releases."""
    versions = {path: int(path.rpartition("/")[2].partition(".")[0]) for path in targets}
    oldest = max(versions.values()) - _PATCHED
    return {path: each for path, each in targets.items() if versions[path] > oldest or path.endswith(".tar")}


def delegate(top: Targets, role: str, keyid: str) -> None:
    """Let the key sign the releases of this role's name, and only those."""
    assert top.delegations is not None and top.delegations.roles is not None
    kind, _, name = role.partition("-")
    top.delegations.roles[role] = DelegatedRole(role, [keyid], 1, terminating=True, paths=[f"{kind}/{name}/*"])


def withdrawals(targets: str) -> list[Withdrawal]:
    """The withdrawals in the text of the top role."""
    return withdrawn.parse(parse(targets).signed.unrecognized_fields.get(withdrawn.FIELD, []))


def withdraw(top: Targets, withdrawal: Withdrawal) -> None:
    """Add the withdrawal to the top role's list; RejectedError when it says nothing new, or the list is full."""
    known = withdrawn.parse(top.unrecognized_fields.get(withdrawn.FIELD, []))
    before = [each.because for each in known if _says_all(each, withdrawal)]
    if before:
        raise RejectedError(f"{withdrawal.name} v{withdrawal.version} was withdrawn before", before[0])
    if len(known) >= withdrawn.MAX_WITHDRAWALS:
        raise RejectedError(
            f"{len(known)} releases were withdrawn, and no list may have more",
            "every board keeps the list",
            "Release under another name",
        )
    entries = [each.to_json() for each in (*known, withdrawal)]
    # As a board reads it: a list it cannot read must never be signed.
    withdrawn.parse(entries)
    top.unrecognized_fields[withdrawn.FIELD] = entries


def _says_all(known: Withdrawal, new: Withdrawal) -> bool:
    """Whether the known withdrawal has every release of the new one, and is as strict."""
    covers = known.covers(new.kind, new.name, new.version) and (known.older or not new.older)
    return covers and (new.lets_run or not known.lets_run)


def parse(text: str) -> Metadata[Any]:
    """The metadata in `text`."""
    return Metadata[Any].from_bytes(text.encode())


def successor(text: str) -> Any:
    """The content signed in `text`, with the next version number, to be changed and signed again."""
    signed = parse(text).signed
    signed.version += 1
    return signed


def signed_text(signed: Any, expires: datetime, *keys: Signer) -> str:
    """`signed` as text, valid until `expires`, with these keys' signatures."""
    signed.expires = expires.replace(microsecond=0)
    metadata: Metadata[Any] = Metadata(signed)
    for key in keys:
        metadata.sign(key, append=True)
    return text_of(metadata)


def text_of(metadata: Metadata[Any]) -> str:
    """The metadata in the form in which it is kept and sent."""
    return metadata.to_bytes(_SERIALIZER).decode()


def fresh(text: str, valid: timedelta, now: datetime) -> bool:
    """Whether less than half of its time has passed."""
    return parse(text).signed.expires - now > valid / 2


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
