"""The release keys on a developer's machine: signs releases here, so that the shim needs no release key.

In one folder per fleet, readable by the owner only:

    image-root.pem, image-targets.pem, image-releases.pem
    signed.json            the newest metadata signed here
    next/                  the same three keys while they are being replaced

New metadata is only built on metadata signed by these keys, and its version only rises: where the shim shows an older
one, the one kept here counts. The caller sends it (cli/release/pushing.py).
"""

# pyright does not see the classes re-exported by tuf.api.metadata.
# pyright: reportPrivateImportUsage=false

import json
import os
from collections.abc import Callable, Collection
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Delegations, Root, Targets

from cloud_shim.trust import key_files, release_metadata, root_metadata
from cloud_shim.trust.release_metadata import RELEASES, ROOT
from device import durable
from device.errors import RejectedError, UntrustedError
from device.protocol.deployment import ArtifactRef
from device.protocol.withdrawn import FIELD, Withdrawal

NAMES = ("image-root", "image-targets", "image-releases")
Json = dict[str, Any]


def home() -> Path:
    """Where the keys of all fleets lie: LAMPLIGHT_KEYS, or the user's configuration folder."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(os.environ.get("LAMPLIGHT_KEYS") or Path(config, "lamplight", "keys"))


class ReleaseKeys:
    """The keys of one fleet, known by its `image` repository; `base` is the folder of all fleets."""

    def __init__(self, base: Path, image: Json, clock: Callable[[], datetime] = release_metadata.utc_now) -> None:
        # The first root never changes, and each fleet has its own.
        self.folder = base / sha256(image["root"][0].encode()).hexdigest()[:16]
        self._record = self.folder / "signed.json"
        self._next = self.folder / "next"
        self._clock = clock
        self._finish_rotation(image)

    def here(self) -> bool:
        """Whether this machine has all three keys."""
        return all(key_files.exists(self.folder, name) for name in NAMES)

    def ids(self) -> dict[str, str]:
        """The ids of the keys on this machine, by name."""
        names = (name for name in NAMES if key_files.exists(self.folder, name))
        return {name: self._key(name).public_key.keyid for name in names}

    def take(self, image: Json, confirmed: Collection[str], forget: bool = False) -> Json:
        """Make the keys, and the metadata that puts them in force; only the old root's signature is missing.

        Of the releases in the shim's own metadata the targets in `confirmed` are signed again, and the rest drops out.
        With `forget` the list of withdrawals begins anew. The same offer can be made until it is adopted.
        """
        _make_folder(self.folder)
        return self._hand_over(image["root"][-1], _with_only(image, confirmed), self.folder, forget)

    def rotate(self, image: Json, forget: bool = False) -> Json:
        """Make all three keys anew, and the metadata that puts them in force; to be offered to the shim.

        With `forget` the list of withdrawals begins anew: a thief of the old keys may have filled it.

        They lie beside the present ones, and replace them when this class next sees a repository under the new keys.
        The same offer can be made until it is adopted.
        """
        self._check_taken(image)
        base = self._newest(image)
        _make_folder(self._next)
        return self._hand_over(image["root"][-1], base, self._next, forget, self._key("image-root"))

    def _hand_over(self, root: str, base: Json, folder: Path, forget: bool, *old_root: CryptoSigner) -> Json:
        """The next root, naming the keys in `folder`, and all of `base` signed by them."""
        root_key, targets_key, releases_key = (key_files.make(folder, name) for name in NAMES)
        top = release_metadata.successor(base["targets"])
        if forget:
            top.unrecognized_fields.pop(FIELD, None)
        top.delegations = Delegations({releases_key.public_key.keyid: releases_key.public_key}, {})
        for role in base["delegated"]:
            release_metadata.delegate(top, role, releases_key.public_key.keyid)
        delegated = {
            role: self._sign(release_metadata.successor(text), releases_key) for role, text in base["delegated"].items()
        }
        named: Root = release_metadata.successor(root)
        # Keys of other machines stay; the shim's go, when it hands over.
        replaced = {each.public_key.keyid for each in old_root} or None
        root_metadata.with_key(named, ["root"], root_key.public_key, replaced)
        root_metadata.with_key(named, ["targets"], targets_key.public_key)
        signed = release_metadata.signed_text(named, self._clock() + ROOT, *old_root, root_key)
        return {"root": signed, "targets": self._sign(top, targets_key), "delegated": delegated}

    def _finish_rotation(self, image: Json) -> None:
        """Put the new keys in place of the old once the shim's root names them; a crash on the way loses nothing."""
        if not key_files.exists(self._next, "image-root"):
            return
        root, key = image["root"][-1], key_files.read(self._next, "image-root")
        if key.public_key.keyid not in release_metadata.parse(root).signed.roles["root"].keyids:
            return
        # Only the signature proves the adoption: a shim could show a root of its own making.
        _check_signed("root", root, key)
        durable.remove(self._record)
        # The root key last: while it lies there, this is done again.
        for name in reversed(NAMES):
            if key_files.exists(self._next, name):
                durable.rename(self._next / f"{name}.pem", self.folder / f"{name}.pem")
        durable.remove(self._next)

    def owns(self, image: Json) -> bool:
        """Whether the repository's root names this machine's root key already."""
        if not self.here():
            return False
        ours = key_files.read(self.folder, "image-root").public_key.keyid
        return ours in release_metadata.parse(image["root"][-1]).signed.roles["root"].keyids

    def check(self, image: Json) -> None:
        """Raise the error with which `release` would refuse to build on the repository as it is shown."""
        self._check_taken(image)
        self._newest(image)

    def release(self, image: Json, ref: ArtifactRef) -> Json:
        """The metadata with the release and its patches in the repository's list, to be offered to the shim.

        Raises RejectedError when the keys are missing or the release has other bytes already, UntrustedError when the
        shim shows metadata these keys did not sign.
        """
        self._check_taken(image)
        base = self._newest(image)
        role = release_metadata.role_of(ref)
        text = base["delegated"].get(role)
        before = dict(release_metadata.parse(text).signed.targets) if text else {}
        listed = release_metadata.with_release(before, ref)
        if listed != before:
            base["delegated"][role] = self._with_targets(text, listed)
        # So a fleet with frequent deployments needs no `renew`.
        for each, old in base["delegated"].items():
            if not release_metadata.fresh(old, RELEASES, self._clock()):
                base["delegated"][each] = self._sign(release_metadata.successor(old), self._key("image-releases"))
        self._delegate(base, role)
        return self._offer(image, base)

    def renew(self, image: Json) -> Json:
        """Sign these keys' metadata again, for a year from now; to be offered to the shim."""
        self._check_taken(image)
        base = self._newest(image)
        releases = self._key("image-releases")
        base["delegated"] = {
            role: self._sign(release_metadata.successor(text), releases) for role, text in base["delegated"].items()
        }
        base["targets"] = self._sign(release_metadata.successor(base["targets"]), self._key("image-targets"))
        return self._offer(image, base)

    def withdraw(self, image: Json, withdrawal: Withdrawal) -> Json:
        """The metadata that withdraws releases, to be offered to the shim; the errors are those of `release`."""
        self._check_taken(image)
        base = self._newest(image)
        top = release_metadata.successor(base["targets"])
        release_metadata.withdraw(top, withdrawal)
        base["targets"] = self._sign(top, self._key("image-targets"))
        return self._offer(image, base)

    def _with_targets(self, text: str | None, listed: Json) -> str:
        signed = release_metadata.successor(text) if text else Targets()
        signed.targets = listed
        return self._sign(signed, self._key("image-releases"))

    def _delegate(self, base: Json, role: str) -> None:
        """Have the top role delegate to `role`, and sign it again in time."""
        top = release_metadata.successor(base["targets"])
        if role in top.delegations.roles and release_metadata.fresh(base["targets"], RELEASES, self._clock()):
            return
        release_metadata.delegate(top, role, self._key("image-releases").public_key.keyid)
        base["targets"] = self._sign(top, self._key("image-targets"))

    def _offer(self, image: Json, base: Json) -> Json:
        """The parts of `base` new to the shim; `base` is kept here first, to remember everything ever signed."""
        durable.write_file(self._record, json.dumps(base).encode(), mode=0o600)
        changed = {role: text for role, text in base["delegated"].items() if image["delegated"].get(role) != text}
        top = {"targets": base["targets"]} if base["targets"] != image["targets"] else {}
        return {**top, "delegated": changed}

    def _newest(self, image: Json) -> Json:
        """Each role's newest text, of the shim's and this machine's; all of them signed by these keys."""
        kept: Json = json.loads(self._record.read_bytes()) if self._record.exists() else {"delegated": {}}
        releases, targets = self._key("image-releases"), self._key("image-targets")
        roles = sorted({*image["delegated"], *kept["delegated"]})
        delegated = {
            role: _newer(role, image["delegated"].get(role), kept["delegated"].get(role), releases) for role in roles
        }
        return {
            "targets": _newer("targets", image["targets"], kept.get("targets"), targets),
            "delegated": delegated,
        }

    def _sign(self, signed: Any, key: CryptoSigner) -> str:
        return release_metadata.signed_text(signed, self._clock() + RELEASES, key)

    def _key(self, name: str) -> CryptoSigner:
        return key_files.read(self.folder, name)

    def _check_taken(self, image: Json) -> None:
        if not self.here():
            raise RejectedError(
                "This machine cannot sign a release for this fleet",
                f"the release key is not in the shim, and not in {self.folder} either",
                "Deploy from the machine on which `lamplight keys take` was run, or set LAMPLIGHT_KEYS to its copy",
            )
        if not self._record.exists() and not self.owns(image):
            raise RejectedError(
                "The release keys of this machine are not in force",
                "`lamplight keys take` was interrupted here, or waits for another machine's signature",
                "`lamplight keys take` again, or `lamplight keys sign` there",
            )


def _with_only(image: Json, confirmed: Collection[str]) -> Json:
    """The repository with these releases alone, and the patches to them."""
    delegated: Json = {}
    for role, text in image["delegated"].items():
        metadata = release_metadata.parse(text)
        targets = metadata.signed.targets.items()
        metadata.signed.targets = {path: each for path, each in targets if _artifact(path) in confirmed}
        delegated[role] = release_metadata.text_of(metadata)
    return {**image, "delegated": delegated}


def _artifact(path: str) -> str:
    """The artifact that a target is, or is a patch to; "" for a path that no board asks for."""
    found = release_metadata.TARGET.fullmatch(path)
    return f"{found[1]}.tar" if found else ""


def _make_folder(folder: Path) -> None:
    durable.make_folder(folder, 0o700)
    durable.sweep(folder)
    folder.chmod(0o700)


def _newer(role: str, shown: str | None, kept: str | None, key: CryptoSigner) -> str:
    """The newer of two texts of a role; UntrustedError unless the key signed both and each version has one content."""
    texts = [text for text in (shown, kept) if text]
    for text in texts:
        _check_signed(role, text, key)
    versions = [release_metadata.parse(text).signed.version for text in texts]
    if len(set(texts)) > len(set(versions)):
        raise UntrustedError(
            f"The shim shows another {role} version {versions[0]} than this machine signed",
            "two machines signed at once, or a key was copied",
            "Find out which one is right before you deploy",
        )
    return max(zip(versions, texts, strict=True))[1]


def _check_signed(role: str, text: str, key: CryptoSigner) -> None:
    metadata = release_metadata.parse(text)
    try:
        key.public_key.verify_signature(metadata.signatures[key.public_key.keyid], metadata.signed_bytes)
    except (KeyError, UnverifiedSignatureError):
        raise UntrustedError(
            f"The shim shows a list of releases ({role}) that this machine's keys did not sign",
            "someone may have changed it",
            "Do not deploy before you know why; `lamplight keys show` tells whose keys there are",
        ) from None
