"""Brings an artifact to the shim as a release, and signs it here where the shim has no release key.

Packing is packing.py's, deploying is the caller's.
"""

import tempfile
from pathlib import Path

from cloud_shim.cli.client import Client, JsonObject
from cloud_shim.cli.keys import release_keys
from cloud_shim.cli.keys.release_keys import ReleaseKeys
from device.artifact import bundle
from device.artifact.archive import unpack
from device.errors import UntrustedError
from device.protocol import chunks
from device.protocol.deployment import ArtifactRef, Patch
from device.protocol.fields import integer, items, sha256, table

_DISTRUST = "Do not deploy through this shim before you know why"


def push(client: Client, archive: bytes, device: str = "") -> JsonObject:
    """The RELEASE of these bytes, ready to be deployed.

    With `device`, bytes that cannot be deployed there are refused as `Client.deploy` would, and use up no number.
    Raises RejectedError when both the shim and this machine lack the keys. Raises UntrustedError when the shim wants
    other bytes signed, or shows metadata unsigned by this machine's keys.
    """
    sent = client.release(archive, unsigned=_can_sign(client), device=device)
    unsigned = sent.pop("unsigned", None)
    if unsigned is not None:
        image = client.keys()["image"]
        client.adopt(ReleaseKeys(release_keys.home(), image).release(image, _ref(sent, unsigned, archive)))
    return sent


def _can_sign(client: Client) -> bool:
    """Whether this machine has the release keys. The shim keeps a release only if somebody can sign it.

    Raises UntrustedError for lists these keys did not sign: signing would fail after a number was given.
    """
    if not release_keys.home().exists():
        return False
    image = client.keys()["image"]
    keys = ReleaseKeys(release_keys.home(), image)
    if not keys.owns(image):
        return False
    keys.check(image)
    return True


def _ref(sent: JsonObject, unsigned: JsonObject, archive: bytes) -> ArtifactRef:
    """The release to sign. The shim chose the number and made the patches; kind, name and bytes are those of `archive`.

    A patch is signed as the shim made it: a device checks its result against the digest of `archive`.
    Raises UntrustedError when the shim tells another name or other bytes.
    """
    kind, release = _identity(archive)
    if (sent.get("kind"), sent.get("name")) != (kind, release):
        raise UntrustedError(f"The shim wants the {kind} {release} signed under another name", "", _DISTRUST)
    version = integer(unsigned, "version", "unsigned", 1, 2**53 - 1)
    digest = chunks.digest(archive)
    if (unsigned.get("sha256"), unsigned.get("length")) != (digest, len(archive)):
        raise UntrustedError("The shim wants other bytes signed than it was sent", "", _DISTRUST)
    patches = tuple(_patch(kind, release, version, each) for each in items(unsigned.get("patches", []), "patches"))
    return ArtifactRef(kind, release, version, digest, len(archive), "", patches)


def _identity(archive: bytes) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        unpack(archive, tree)
        return bundle.kind(tree), bundle.read(tree).name


def _patch(kind: str, release: str, version: int, value: object) -> Patch:
    fields = table(value, "patch")
    base, digest = (sha256(fields.get(key), f"patch.{key}") for key in ("base", "sha256"))
    return Patch(kind, release, version, base, digest, integer(fields, "length", "patch", 1, chunks.MAX_ARTIFACT), "")
