"""The rules a deployment must keep to be believed. Pure; the cryptography is python-tuf's, in verify.py.

`read` takes the DESIRED document apart (docs/protocol/trust.md); `addressed` and `agree` decide, once both
repositories' signatures, versions and expiry have been checked. The time is floor.py's.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from device.errors import UntrustedError
from device.protocol.deployment import ArtifactRef, Deployment, decode
from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, items, only, plain, table, text

FORMAT = 1
# A document for one device: 12 kB with one function; a few hundred releases of each would fit.
MAX_DESIRED = 1024 * 1024
_MOST_ROOTS = 2**31
_TOP = ("timestamp", "snapshot", "targets")


class Target(NamedTuple):
    """A repository's entry for one target: `length` in bytes, and its `sha256` digest."""

    length: int
    sha256: str


class Desired(NamedTuple):
    """A DESIRED document taken apart: each repository's metadata by file name, and the deployment document."""

    director: Mapping[str, bytes]
    image: Mapping[str, bytes]
    deployment: bytes


class Signer(NamedTuple):
    """The counter of the generations: the director's keys, by their ids in order, from version `root` of its root."""

    root: int
    keys: str


# Before anything was believed.
NOBODY = Signer(0, "")


def read(payload: bytes) -> Desired:
    """The parts of a DESIRED document, all of them still to be verified; raises ProtocolError."""
    if len(payload) > MAX_DESIRED:
        raise ProtocolError(f"desired: more than {MAX_DESIRED} bytes")
    try:
        fields = table(json.loads(payload), "desired")
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"desired: is not JSON: {error}") from None
    plain(fields, "desired")
    only(fields, ("format", "director", "image", "deployment"), "desired")
    if fields.get("format") != FORMAT:
        raise ProtocolError(f"desired.format: {fields.get('format')!r}; this agent reads format {FORMAT}")
    director = table(fields.get("director"), "desired.director")
    only(director, ("root", *_TOP), "desired.director")
    image = table(fields.get("image"), "desired.image")
    only(image, ("root", *_TOP, "delegated"), "desired.image")
    deployment = text(fields, "deployment", "desired").encode()
    return Desired(_files(director, "desired.director"), _files(image, "desired.image"), deployment)


def _files(repository: dict[str, object], where: str) -> dict[str, bytes]:
    delegated = table(repository.get("delegated", {}), f"{where}.delegated")
    files = {f"{role}.json": text(delegated, role, f"{where}.delegated").encode() for role in delegated}
    roots = items(repository.get("root"), f"{where}.root")
    for version, root in enumerate(roots, 1):
        files[f"{version}.root.json"] = text({"root": root}, "root", where).encode()
    files.update({f"{role}.json": text(repository, role, where).encode() for role in _TOP})
    return files


def claimed_generation(payload: bytes) -> int:
    """The generation claimed by a document, for the report of its refusal; 0 when it claims none."""
    try:
        return decode(read(payload).deployment).generation
    except ProtocolError:
        return 0


def signer(value: object) -> Signer:
    """A signer from its JSON form, a list of both; raises ProtocolError."""
    fields: dict[str, object] = dict(zip(("root", "keys"), items(value, "signer"), strict=False))
    return Signer(integer(fields, "root", "signer", 0, _MOST_ROOTS), text(fields, "keys", "signer"))


def lowest(floor: int, before: Signer, now: Signer) -> int:
    """The lowest generation to believe from `now`, after `floor` from the signer `before`.

    Other keys count anew: a thief may have pushed the count of the old keys to its limit, and the old keys sign nothing
    any more. Only a later root can name new keys, so an old root, played again, leaves the floor as it is.
    """
    return 0 if before.keys and now.keys != before.keys and now.root > before.root else floor


def addressed(deployment: Deployment, fleet: str, device: str, floor: int) -> None:
    """The deployment is meant for this device, and of generation `floor` or later; raises UntrustedError."""
    if (deployment.fleet, deployment.device) != (fleet, device):
        raise UntrustedError(
            f"This deployment is for {deployment.fleet}/{deployment.device}",
            f"this device is {fleet}/{device}",
            "Look for two devices with one name, or a message copied to another topic",
        )
    if deployment.generation < floor:
        raise UntrustedError(
            f"Generation {deployment.generation} is older than generation {floor}, which this device was given already",
            "an old message was played again, or the shim has lost its state",
            "Deploy anew with a higher generation",
        )


def agree(ref: ArtifactRef, director: Target | None, image: Target | None) -> None:
    """Both repositories list this artifact of the deployment, with its length and digest; raises UntrustedError."""
    wanted = Target(ref.length, ref.digest)
    for who, listed in (("director", director), ("image repository", image)):
        if listed is None:
            raise UntrustedError(f"The {who} does not list {ref.target}", "", "Release it again, then deploy")
        if listed != wanted:
            raise UntrustedError(
                f"The {who} lists {ref.target} with another length or digest than the deployment",
                f"{listed.length} bytes, {listed.sha256}; the deployment has {wanted.length} bytes, {wanted.sha256}",
            )
