"""Signs releases and deployments: the shim's side of the two TUF repositories (docs/protocol/desired.md).

The *image* repository says "these bytes are release night-light v3"; the *director*, one per device, says "desk-pi runs
night-light v3 with this configuration". Keys and signed metadata are files in one folder, made at first use:

    keys/                  ed25519, readable by the owner only: shim_keys.py
    image.json             the image repository, in the form DESIRED has it
    director.json          the director's root, common to all devices
    devices/<name>.json    one device's director metadata and deployment: director_files.py
    pending-<repository>.json   an offer with a new root still short of signatures
    clock.json             when something was last signed: clock.py

Each file is replaced as a whole, so a crash leaves the state before or after; versions only go up. All keys lie here,
as suits development, until `adopt` is given metadata under keys of a developer's machine: then only the online ones
stay. The numbers of releases and generations come from the caller. Publishing is the caller's too.
"""

# tuf.api.metadata re-exports its classes in a way that pyright does not see.
# pyright: reportPrivateImportUsage=false

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.metadata import Delegations, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from cloud_shim.trust import handover, release_metadata, root_metadata, shim_keys
from cloud_shim.trust.clock import SigningClock
from cloud_shim.trust.director_files import DirectorFiles, Signed
from cloud_shim.trust.pending import Pending
from cloud_shim.trust.release_metadata import RELEASES, ROOT
from cloud_shim.trust.shim_keys import ShimKeys
from device import durable
from device.errors import NotFoundError, RejectedError
from device.protocol import fields
from device.protocol.deployment import ArtifactRef, Deployment, Patch, decode
from device.protocol.withdrawn import Withdrawal

ONLINE = timedelta(days=30)
# The key of each role; the image repository's delegated roles are signed by "image-releases".
_IMAGE = {"root": "image-root", "targets": "image-targets", "snapshot": "image-online", "timestamp": "image-online"}
_DIRECTOR = {"root": "director-root", **dict.fromkeys(("targets", "snapshot", "timestamp"), "director-online")}

# A repository's texts by role, without its roots.
Roles = dict[str, str]


class Signing:
    """The two repositories in `folder`; safe to use from several threads of one process, not from several processes."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = release_metadata.utc_now) -> None:
        self._folder = folder
        self.clock = SigningClock(folder / "clock.json", clock, _last_signed(folder / "image.json"))
        self._lock = threading.Lock()
        for each in (folder, folder / "keys"):
            durable.make_folder(each, 0o700)
            durable.sweep(each)
        self._devices = DirectorFiles(folder / "devices")
        self._pending = {each: Pending(folder / f"pending-{each}.json") for each in ("image", "director")}
        self._keys = ShimKeys(folder / "keys", self._named())
        self._director: dict[str, Any] = self._load("director.json", lambda: {"root": [self._root(_DIRECTOR)]})
        self._image: dict[str, Any] = self._load("image.json", self._new_image)

    def roots(self) -> tuple[bytes, bytes]:
        """The newest roots of the director and of the image repository. A device must be given them at its making."""
        return self.director_root().encode(), self._image["root"][-1].encode()

    def image(self) -> dict[str, Any]:
        """The image repository, in the form DESIRED has it."""
        return self._image

    def director_root(self) -> str:
        """The director's newest root."""
        return self._director["root"][-1]

    def held(self) -> list[str]:
        """The names of the private keys that lie here."""
        return self._keys.held()

    def adopt(self, offer: Mapping[str, object]) -> None:
        """Take over metadata signed elsewhere, and forget the keys it replaces.

        `director_root` in it is the director's next root, all else is the image repository's. A new root still short of
        signatures is kept, with the rest of its offer, until further signatures come. The files of keys go once the
        metadata without them is on disk; after a crash in between, the next start deletes them. Raises the errors of
        handover.merged; everything then stays as it was.
        """
        with self._lock:
            try:
                if "director_root" in offer:
                    self._adopt_director(offer)
                else:
                    self._adopt_image(offer)
            finally:
                self._keys.settle(self._named())

    def pending(self) -> dict[str, Any]:
        """New roots still short of signatures, by repository, and how many signatures each lacks."""
        found: dict[str, Any] = {}
        for repository, roots in (("image", self._image["root"]), ("director", self._director["root"])):
            kept = self._pending[repository].get(roots[-1])
            if kept:
                found[repository] = {"root": kept["root"], "lacks": root_metadata.missing(roots[-1], kept["root"])}
        return found

    def next_key(self, name: str) -> dict[str, Any]:
        """Make the key to replace the online key `name`; gives its id and its public half."""
        if name not in shim_keys.ONLINE:
            raise NotFoundError(f"The shim has no online key {name!r}", f"it has: {', '.join(shim_keys.ONLINE)}")
        with self._lock:
            key = self._keys.make_next(name)
            return {"id": key.keyid, "key": key.to_dict()}

    def _adopt_director(self, offer: Mapping[str, object]) -> None:
        fields.only(dict(offer), ("director_root",), "offer")
        root = self._next_root(
            "director", self._director["root"][-1], fields.text(dict(offer), "director_root", "offer")
        )
        gathered = self._pending["director"].gather(self._director["root"][-1], {"root": root})
        if gathered is not None:
            director = {"root": [*self._director["root"], gathered["root"]]}
            durable.write_file(self._folder / "director.json", json.dumps(director).encode(), mode=0o600)
            self._director = director
            self._pending["director"].forget()

    def _adopt_image(self, offer: Mapping[str, object]) -> None:
        gathered: Mapping[str, object] | None = offer
        if offer.get("root"):
            root = self._next_root("image", self._image["root"][-1], fields.text(dict(offer), "root", "offer"))
            gathered = self._pending["image"].gather(self._image["root"][-1], {**offer, "root": root})
        if gathered is None:
            return
        image = handover.merged(self._image, gathered)
        if image != self._image:
            if root_metadata.names_other(image["root"][-1], "timestamp", self._keys["image-online"].public_key.keyid):
                self._keys.use_next("image-online")
            texts = {"targets": image["targets"], **image["delegated"]}
            snapshot, timestamp = (release_metadata.successor(self._image[role]) for role in ("snapshot", "timestamp"))
            self._publish({**image, **self._listing(texts, snapshot, timestamp, _IMAGE)})
            self._pending["image"].forget()

    def _next_root(self, repository: str, present: str, offered: str) -> str:
        name = f"{repository}-online"
        following = self._keys.next(name)
        known = {self._keys[name].public_key.keyid, *([following.public_key.keyid] if following else [])}
        return handover.next_root(present, offered, known, self._keys.get(f"{repository}-root"))

    def release(
        self, kind: str, name: str, version: int, sha256: str, length: int, patches: Sequence[Patch] = ()
    ) -> None:
        """Sign these bytes, and these patches to them, as release `version` of the "function" or "model" `name`.

        Only the newest releases of a name keep their patches: every device is sent all signed metadata of the name. The
        same again changes nothing. Raises RejectedError when this release has other bytes already, or when it is new
        and the release key is not here.
        """
        ref = ArtifactRef(kind, name, version, sha256, length, "", tuple(patches))
        with self._lock:
            role = release_metadata.role_of(ref)
            text = self._image["delegated"].get(role)
            signed = release_metadata.successor(text) if text else Targets()
            current = release_metadata.with_release(signed.targets, ref)
            # Without the key a listed release goes on without its unsigned patches.
            if current != signed.targets and not ("image-releases" not in self._keys and ref.target in signed.targets):
                self.check_can_release()
                signed.targets = current
                self._publish(self._with_roles({role: signed}))

    def withdraw(self, withdrawal: Withdrawal) -> None:
        """Sign that these releases are withdrawn; RejectedError when the key is not here, or it is nothing new."""
        with self._lock:
            self.check_can_release()
            self._publish(self._with_roles({}, withdrawal))

    def withdrawals(self) -> list[Withdrawal]:
        """The withdrawn releases, oldest withdrawal first."""
        return release_metadata.withdrawals(self._image["targets"])

    def lists(self, ref: ArtifactRef) -> bool:
        """Whether exactly these bytes are signed as this release."""
        return self._released((ref,)).get(ref.target) == release_metadata.target(ref)

    @property
    def can_release(self) -> bool:
        """Whether the key for releases is here."""
        return "image-releases" in self._keys

    def check_can_release(self) -> None:
        """Raises RejectedError when the key for releases is not here."""
        if not self.can_release:
            raise RejectedError(
                "This shim cannot sign a release",
                "the release key was moved to a developer's machine",
                "Deploy with `lamplight deploy` from the machine on which `lamplight keys take` was run",
            )

    def desired(self, deployment: Deployment) -> bytes:
        """The DESIRED document for a device to run `deployment`, signed anew.

        Patches that are signed no more are left out: the device then takes whole artifacts. Raises RejectedError when
        it names a release that was never signed, takes a generation back, or changes one.
        """
        with self._lock:
            self._check_released(deployment)
            self._devices.check(deployment)
            return self._sign(deployment, self._devices.last(deployment.device))

    def go_on(self, device: str, before: str) -> None:
        """The versions of a new device's metadata go on from those of `before`: its board believes no lower ones."""
        with self._lock:
            self._devices.go_on(device, before)

    def refresh(self, device: str) -> bytes | None:
        """The device's last DESIRED document, signed anew when half of its time has passed; None before then.

        Raises NotFoundError for a device that was never given a deployment.
        """
        with self._lock:
            last = self._devices.last(device)
            if last is None:
                raise NotFoundError(f"Nothing was ever deployed to {device}")
            if self._fresh(last["director"]["timestamp"], ONLINE) and self._fresh(self._image["timestamp"], ONLINE):
                return None
            return self._sign(decode(last["deployment"].encode()), last)

    def _sign(self, deployment: Deployment, last: Signed | None) -> bytes:
        self._renew()
        deployment = deployment.with_patches(set(self._released(deployment.artifacts())))
        text = deployment.encode()
        version = release_metadata.successor(last["director"]["targets"]).version if last else 1
        targets = Targets(version, targets={ref.target: release_metadata.target(ref) for ref in deployment.targets()})
        targets.targets["deployment.json"] = TargetFile.from_data("deployment.json", text, ["sha256"])
        director = self._chain({"targets": targets}, Snapshot(version), Timestamp(version), _DIRECTOR)
        self._devices.save(deployment.device, {"director": director, "deployment": text.decode()})
        needed = {release_metadata.role_of(ref) for ref in deployment.artifacts()}
        delegated = {role: each for role, each in self._image["delegated"].items() if role in needed}
        document = {
            "format": 1,
            "director": {**self._director, **director},
            "image": {**self._image, "delegated": delegated},
            "deployment": text.decode(),
        }
        return json.dumps(document, separators=(",", ":")).encode()

    def _check_released(self, deployment: Deployment) -> None:
        released = self._released(deployment.artifacts())
        for ref in deployment.targets():
            signed = released.get(ref.target)
            if signed != release_metadata.target(ref) and not (signed is None and isinstance(ref, Patch)):
                raise RejectedError(
                    f"{ref.name} v{ref.version} was not released with this content", "", "Push it first"
                )

    def _released(self, refs: Sequence[ArtifactRef]) -> dict[str, TargetFile]:
        """The signed targets under the names of these artifacts."""
        delegated = self._image["delegated"]
        texts = (delegated.get(role) for role in {release_metadata.role_of(ref) for ref in refs})
        return {
            path: each for text in texts if text for path, each in release_metadata.parse(text).signed.targets.items()
        }

    # The image repository

    def _new_image(self) -> dict[str, Any]:
        key = self._keys["image-releases"].public_key
        targets = Targets(delegations=Delegations({key.keyid: key}, {}))
        roles = self._chain({"targets": targets}, Snapshot(), Timestamp(), _IMAGE)
        return {"root": [self._root(_IMAGE)], **roles, "delegated": {}}

    def _with_roles(self, changed: Mapping[str, Targets], withdrawal: Withdrawal | None = None) -> dict[str, Any]:
        """The image repository with these delegated roles changed, or added to the delegations; and a withdrawal."""
        top = release_metadata.successor(self._image["targets"])
        if withdrawal:
            release_metadata.withdraw(top, withdrawal)
        for role in changed:
            release_metadata.delegate(top, role, self._keys["image-releases"].public_key.keyid)
        snapshot, timestamp = (release_metadata.successor(self._image[role]) for role in ("snapshot", "timestamp"))
        roles = self._chain({**changed, "targets": top}, snapshot, timestamp, _IMAGE)
        top_level = {role: roles.pop(role) for role in ("targets", "snapshot", "timestamp")}
        return {"root": self._image["root"], **top_level, "delegated": {**self._image["delegated"], **roles}}

    def _renew(self) -> None:
        """Sign the image repository again where half of the time has passed, and the key is here."""
        if "image-releases" not in self._keys:
            self._renew_online()
            return
        old = {role: text for role, text in self._image["delegated"].items() if not self._fresh(text, RELEASES)}
        if old or not self._fresh(self._image["timestamp"], ONLINE):
            self._publish(self._with_roles({role: release_metadata.successor(text) for role, text in old.items()}))

    def _renew_online(self) -> None:
        if not self._fresh(self._image["timestamp"], ONLINE):
            snapshot, timestamp = (release_metadata.successor(self._image[role]) for role in ("snapshot", "timestamp"))
            self._publish({**self._image, **self._listing({}, snapshot, timestamp, _IMAGE)})

    def _publish(self, image: dict[str, Any]) -> None:
        durable.write_file(self._folder / "image.json", json.dumps(image).encode(), mode=0o600)
        self._image = image

    # Signatures

    def _chain(
        self, changed: Mapping[str, Targets], snapshot: Snapshot, timestamp: Timestamp, keys: Mapping[str, str]
    ) -> Roles:
        """The texts of the changed targets roles, and of the snapshot and timestamp listing them."""
        texts: Roles = {}
        for role, targets in changed.items():
            texts[role] = self._text(
                targets, keys.get(role, "image-releases"), ONLINE if keys is _DIRECTOR else RELEASES
            )
        return {**texts, **self._listing(texts, snapshot, timestamp, keys)}

    def _listing(
        self, changed: Mapping[str, str], snapshot: Snapshot, timestamp: Timestamp, keys: Mapping[str, str]
    ) -> Roles:
        """The texts of the snapshot and timestamp, with these roles listed; RejectedError while the clock is in doubt.

        Everything signed day by day ends with this.
        """
        self.clock.check()
        texts: Roles = {}
        for role, text in changed.items():
            snapshot.meta[f"{role}.json"] = _meta(release_metadata.parse(text).signed.version, text)
        texts["snapshot"] = self._text(snapshot, keys["snapshot"], ONLINE)
        # Signed, so that a board without a clock learns that this time has passed.
        timestamp.unrecognized_fields["issued"] = int(self.clock.now().timestamp())
        timestamp.snapshot_meta = _meta(snapshot.version, texts["snapshot"])
        texts["timestamp"] = self._text(timestamp, keys["timestamp"], ONLINE)
        self.clock.signed()
        return texts

    def _text(self, signed: Any, key: str, valid: timedelta) -> str:
        return release_metadata.signed_text(signed, self.clock.now() + valid, self._keys[key])

    def _root(self, keys: Mapping[str, str]) -> str:
        root = Root(consistent_snapshot=False)
        for role, key in keys.items():
            root.add_key(self._keys[key].public_key, role)
        return self._text(root, keys["root"], ROOT)

    def _fresh(self, text: str, valid: timedelta) -> bool:
        return release_metadata.fresh(text, valid, self.clock.now())

    # Files

    def _named(self) -> dict[str, set[str]] | None:
        """The key ids in the metadata on disk, by the names of shim_keys.py; None before there is any."""
        if not (self._folder / "image.json").exists():
            return None
        image, director = (json.loads((self._folder / f"{each}.json").read_bytes()) for each in ("image", "director"))
        root, top = root_metadata.root_of(image["root"][-1]), release_metadata.parse(image["targets"]).signed
        director_root = root_metadata.root_of(director["root"][-1])
        return {
            "image-root": set(root.roles["root"].keyids),
            "image-targets": set(root.roles["targets"].keyids),
            "image-releases": set(top.delegations.keys),
            "image-online": set(root.roles["timestamp"].keyids),
            "director-root": set(director_root.roles["root"].keyids),
            "director-online": set(director_root.roles["targets"].keyids),
        }

    def _load(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        path = self._folder / name
        if not path.exists():
            durable.write_file(path, json.dumps(make()).encode(), mode=0o600)
        return json.loads(path.read_bytes())


def _last_signed(image: Path) -> float | None:
    """When the image repository in the file was last signed; None before there is one.

    For a shim that has no clock.json yet.
    """
    if not image.exists():
        return None
    timestamp = release_metadata.parse(json.loads(image.read_bytes())["timestamp"]).signed
    return float(timestamp.unrecognized_fields.get("issued", (timestamp.expires - ONLINE).timestamp()))


def _meta(version: int, text: str) -> MetaFile:
    # With length and hash, so that no two roles signed by one key can be exchanged.
    return MetaFile.from_data(version, text.encode(), ["sha256"])
