"""Signs releases and deployments: the shim's side of the two TUF repositories (docs/protocol.md, "DESIRED").

The *image* repository says "these bytes are release night-light v3"; the *director*, one per device, says "desk-pi runs
night-light v3 with this configuration". Keys and signed metadata are files in one folder, made at first use:

    keys/<name>.pem        ed25519, readable by the owner only
    image.json             the image repository, in the form DESIRED has it
    director.json          the director's root, common to all devices
    devices/<name>.json    one device's director metadata and deployment

Each file is replaced as a whole, so a crash leaves the state before or after; versions only go up. These are
development keys: all of them lie together. It does not choose release or generation numbers, and does not publish.
"""

# tuf.api.metadata re-exports its classes in a way that pyright does not see.
# pyright: reportPrivateImportUsage=false

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from device.errors import NotFoundError, RejectedError
from device.protocol.deployment import ArtifactRef, Deployment, Patch, decode
from device.protocol.fields import is_name
from device.update import durable

ONLINE = timedelta(days=30)
RELEASES = timedelta(days=365)
ROOT = timedelta(days=3650)
# Releases of one name whose patches stay signed.
_PATCHED = 3
_SERIALIZER = JSONSerializer(compact=True)
# Which key signs which role; the image repository's delegated roles are signed by "image-releases".
_IMAGE = {"root": "image-root", "targets": "image-targets", "snapshot": "image-online", "timestamp": "image-online"}
_DIRECTOR = {"root": "director-root", **dict.fromkeys(("targets", "snapshot", "timestamp"), "director-online")}

# A repository's texts by role, without its roots.
Roles = dict[str, str]


def _clock() -> datetime:
    return datetime.now(UTC)


class Signing:
    """The two repositories in `folder`; safe to use from several threads, not from several processes."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = _clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        for each in (folder, folder / "keys", folder / "devices"):
            durable.make_folder(each)
            durable.sweep(each)
        self._keys = {
            name: _key(folder / "keys" / f"{name}.pem")
            for name in sorted({*_IMAGE.values(), *_DIRECTOR.values(), "image-releases"})
        }
        self._director: dict[str, Any] = self._load("director.json", lambda: {"root": [self._root(_DIRECTOR)]})
        self._image: dict[str, Any] = self._load("image.json", self._new_image)

    def roots(self) -> tuple[bytes, bytes]:
        """What a device must be given at its making: the first root of the director and of the image repository."""
        return self._director["root"][0].encode(), self._image["root"][0].encode()

    def release(
        self, kind: str, name: str, version: int, sha256: str, length: int, patches: Sequence[Patch] = ()
    ) -> None:
        """Sign that release `version` of the "function" or "model" `name` is these bytes, and made by these patches.

        Only the newest releases of a name keep their patches: every device is sent all that is signed of it. The same
        again changes nothing; raises RejectedError when that release is other bytes already.
        """
        ref = ArtifactRef(kind, name, version, sha256, length, "", tuple(patches))
        targets = {each.target: _target(each) for each in ref.targets()}
        with self._lock:
            role = _role(ref)
            text = self._image["delegated"].get(role)
            signed = _next(text) if text else Targets()
            if any(signed.targets.get(path, target) != target for path, target in targets.items()):
                raise RejectedError(
                    f"Release {name} v{version} exists with other content",
                    "releases never change",
                    "Use the next version",
                )
            current = _without_old_patches({**signed.targets, **targets})
            if current != signed.targets:
                signed.targets = current
                self._publish(self._with_roles({role: signed}))

    def desired(self, deployment: Deployment) -> bytes:
        """The DESIRED document that makes the device run `deployment`, signed anew.

        Patches in it that are signed no more are left out: the device then takes whole artifacts. Raises RejectedError
        when it names a release that was never signed, or takes a generation back or changes one.
        """
        with self._lock:
            self._check_released(deployment)
            last = self._device(deployment.device)
            if last is not None:
                _check_generation(deployment, last["deployment"])
            return self._sign(deployment, last)

    def refresh(self, device: str) -> bytes | None:
        """The device's last DESIRED document, signed anew when half of its time has passed; None before that.

        Raises NotFoundError for a device that was never given a deployment.
        """
        with self._lock:
            last = self._device(device)
            if last is None:
                raise NotFoundError(f"Nothing was ever deployed to {device}")
            if self._fresh(last["director"]["timestamp"], ONLINE) and self._fresh(self._image["timestamp"], ONLINE):
                return None
            return self._sign(decode(last["deployment"].encode()), last)

    def _sign(self, deployment: Deployment, last: dict[str, Any] | None) -> bytes:
        self._renew()
        deployment = deployment.with_patches(set(self._released(deployment)))
        text = deployment.encode()
        version = _next(last["director"]["targets"]).version if last else 1
        targets = Targets(version, targets={ref.target: _target(ref) for ref in deployment.targets()})
        targets.targets["deployment.json"] = TargetFile.from_data("deployment.json", text, ["sha256"])
        director = self._chain({"targets": targets}, Snapshot(version), Timestamp(version), _DIRECTOR)
        state = {"director": director, "deployment": text.decode()}
        durable.write_file(self._device_file(deployment.device), json.dumps(state).encode())
        needed = {_role(ref) for ref in deployment.artifacts()}
        delegated = {role: each for role, each in self._image["delegated"].items() if role in needed}
        document = {
            "format": 1,
            "director": {**self._director, **director},
            "image": {**self._image, "delegated": delegated},
            "deployment": text.decode(),
        }
        return json.dumps(document, separators=(",", ":")).encode()

    def _check_released(self, deployment: Deployment) -> None:
        released = self._released(deployment)
        for ref in deployment.targets():
            signed = released.get(ref.target)
            if signed != _target(ref) and not (signed is None and isinstance(ref, Patch)):
                raise RejectedError(
                    f"{ref.name} v{ref.version} was not released with this content", "", "Push it first"
                )

    def _released(self, deployment: Deployment) -> dict[str, TargetFile]:
        """What is signed of the functions and models that the deployment names."""
        texts = (self._image["delegated"].get(role) for role in {_role(ref) for ref in deployment.artifacts()})
        return {path: target for text in texts if text for path, target in _parse(text).signed.targets.items()}

    # The image repository

    def _new_image(self) -> dict[str, Any]:
        key = self._keys["image-releases"].public_key
        targets = Targets(delegations=Delegations({key.keyid: key}, {}))
        roles = self._chain({"targets": targets}, Snapshot(), Timestamp(), _IMAGE)
        return {"root": [self._root(_IMAGE)], **roles, "delegated": {}}

    def _with_roles(self, changed: Mapping[str, Targets]) -> dict[str, Any]:
        """The image repository with these delegated roles changed, or added to the delegations."""
        top = _next(self._image["targets"])
        delegations: dict[str, DelegatedRole] = top.delegations.roles
        for role in changed:
            kind, _, name = role.partition("-")
            key = self._keys["image-releases"].public_key.keyid
            delegations[role] = DelegatedRole(role, [key], 1, terminating=True, paths=[f"{kind}/{name}/*"])
        snapshot, timestamp = (_next(self._image[role]) for role in ("snapshot", "timestamp"))
        roles = self._chain({**changed, "targets": top}, snapshot, timestamp, _IMAGE)
        top_level = {role: roles.pop(role) for role in ("targets", "snapshot", "timestamp")}
        return {"root": self._image["root"], **top_level, "delegated": {**self._image["delegated"], **roles}}

    def _renew(self) -> None:
        """Sign the image repository again where half of the time has passed."""
        old = {role: text for role, text in self._image["delegated"].items() if not self._fresh(text, RELEASES)}
        if old or not self._fresh(self._image["timestamp"], ONLINE):
            self._publish(self._with_roles({role: _next(text) for role, text in old.items()}))

    def _publish(self, image: dict[str, Any]) -> None:
        durable.write_file(self._folder / "image.json", json.dumps(image).encode())
        self._image = image

    # Signatures

    def _chain(
        self, changed: Mapping[str, Targets], snapshot: Snapshot, timestamp: Timestamp, keys: Mapping[str, str]
    ) -> Roles:
        """The texts of the changed targets roles, and of the snapshot and timestamp that list them."""
        texts: Roles = {}
        for role, targets in changed.items():
            texts[role] = self._text(
                targets, keys.get(role, "image-releases"), ONLINE if keys is _DIRECTOR else RELEASES
            )
            snapshot.meta[f"{role}.json"] = _meta(targets.version, texts[role])
        texts["snapshot"] = self._text(snapshot, keys["snapshot"], ONLINE)
        # Signed, so that a board without a clock learns that this time has passed.
        timestamp.unrecognized_fields["issued"] = int(self._clock().timestamp())
        timestamp.snapshot_meta = _meta(snapshot.version, texts["snapshot"])
        texts["timestamp"] = self._text(timestamp, keys["timestamp"], ONLINE)
        return texts

    def _text(self, signed: Any, key: str, valid: timedelta) -> str:
        signed.expires = self._clock().replace(microsecond=0) + valid
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(self._keys[key])
        return metadata.to_bytes(_SERIALIZER).decode()

    def _root(self, keys: Mapping[str, str]) -> str:
        root = Root(consistent_snapshot=False)
        for role, key in keys.items():
            root.add_key(self._keys[key].public_key, role)
        return self._text(root, keys["root"], ROOT)

    def _fresh(self, text: str, valid: timedelta) -> bool:
        expires = datetime.fromisoformat(json.loads(text)["signed"]["expires"])
        return expires - self._clock() > valid / 2

    # Files

    def _load(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        path = self._folder / name
        if not path.exists():
            durable.write_file(path, json.dumps(make()).encode())
        return json.loads(path.read_bytes())

    def _device(self, device: str) -> dict[str, Any] | None:
        path = self._device_file(device)
        return json.loads(path.read_bytes()) if path.exists() else None

    def _device_file(self, device: str) -> Path:
        if not is_name(device):
            raise NotFoundError(f"{device!r} is not a device's name")
        return self._folder / "devices" / f"{device}.json"


def _key(path: Path) -> CryptoSigner:
    if not path.exists():
        durable.write_file(path, CryptoSigner.generate_ed25519().private_bytes, mode=0o600)
    return CryptoSigner(load_pem_private_key(path.read_bytes(), None))  # pyright: ignore[reportArgumentType]


def _check_generation(deployment: Deployment, last: str) -> None:
    before = decode(last.encode())
    same = deployment.with_patches(set()).encode() == before.with_patches(set()).encode()
    if deployment.generation < before.generation or (deployment.generation == before.generation and not same):
        raise RejectedError(
            f"{deployment.device} was already given generation {before.generation}",
            f"generation {deployment.generation} would go back",
            f"Use {before.generation + 1}",
        )


def _without_old_patches(targets: Mapping[str, TargetFile]) -> dict[str, TargetFile]:
    """What a delegated role lists: every artifact, and the patches that make the newest releases."""
    versions = {path: int(path.rpartition("/")[2].partition(".")[0]) for path in targets}
    oldest = max(versions.values()) - _PATCHED
    return {path: each for path, each in targets.items() if versions[path] > oldest or path.endswith(".tar")}


def _target(ref: ArtifactRef) -> TargetFile:
    return TargetFile(ref.length, {"sha256": ref.digest}, ref.target)


def _meta(version: int, text: str) -> MetaFile:
    # With length and hash, so that no two roles signed by one key can be exchanged.
    return MetaFile.from_data(version, text.encode(), ["sha256"])


def _role(ref: ArtifactRef) -> str:
    return f"{ref.kind}s-{ref.name}"


def _parse(text: str) -> Metadata[Any]:
    return Metadata[Any].from_bytes(text.encode())


def _next(text: str) -> Any:
    """What `text` signs, with the next version number, to be changed and signed again."""
    signed = _parse(text).signed
    signed.version += 1
    return signed
