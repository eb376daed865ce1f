"""The root keys on this machine: they decide which other keys count, for the image repository and for the director.

They lie in the fleet's folder of release_keys.py: `image-root.pem` and `director-root.pem`, and in `next-director/`
a new director-root while it is being replaced. Several machines can each hold one of both. A change then needs as
many of them as the root says. The results are offers for the shim, signed with the keys here; the caller sends them.
"""

# pyright does not see the classes re-exported by tuf.api.metadata.
# pyright: reportPrivateImportUsage=false

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner, Key
from tuf.api.metadata import Root

from cloud_shim.trust import key_files, release_metadata, root_metadata
from cloud_shim.trust.release_metadata import ROOT
from device import durable
from device.errors import NotFoundError, RejectedError, UsageError

Json = dict[str, Any]
REPOSITORIES = ("image", "director")
# By repository, the name of its new root in an offer to the shim.
_OFFERED = {"image": "root", "director": "director_root"}
# The roles of an online key.
_DAILY = {"image": ("snapshot", "timestamp"), "director": ("targets", "snapshot", "timestamp")}


class RootKeys:
    """The root keys in `folder`; `roots` has the newest root of each repository, as the shim shows it."""

    def __init__(
        self,
        folder: Path,
        roots: Mapping[str, str],
        clock: Callable[[], datetime] = release_metadata.utc_now,
    ) -> None:
        self._folder = folder
        self._next = folder / "next-director"
        self._roots = roots
        self._clock = clock
        self._finish_rotation()

    def ids(self) -> dict[str, str]:
        """The ids of the root keys on this machine, by name."""
        found = {f"{each}-root": self._key(each) for each in REPOSITORIES}
        return {name: key.public_key.keyid for name, key in found.items() if key}

    def owns(self, repository: str) -> bool:
        """Whether this machine's key is one of those allowed to replace the repository's root."""
        key = self._key(repository)
        return key is not None and key.public_key.keyid in self._root(repository).roles["root"].keyids

    def take_director(self) -> Json:
        """The director's next root, with a key of this machine in place of the shim's; the shim adds its signature."""
        _make_folder(self._folder)
        key = key_files.make(self._folder, "director-root")
        return self._offer(
            "director", root_metadata.with_key(self._following("director"), ["root"], key.public_key), key
        )

    def rotate_director(self) -> Json:
        """The director's next root, with a new key in place of this machine's present one."""
        old = self._own("director")
        _make_folder(self._next)
        new = key_files.make(self._next, "director-root")
        replaced = {old.public_key.keyid}
        return self._offer(
            "director",
            root_metadata.with_key(self._following("director"), ["root"], new.public_key, replaced),
            old,
            new,
        )

    def with_online(self, name: str, made: Mapping[str, Any]) -> Json:
        """The next root of a repository, with the shim's next online key in place of its present one."""
        repository = name.removesuffix("-online")
        root = root_metadata.with_key(self._following(repository), _DAILY[repository], _public(made))
        return self._offer(repository, root)

    def request(self) -> Json:
        """The public halves of this machine's root keys, made now if they are missing."""
        _make_folder(self._folder)
        keys = {each: key_files.make(self._folder, f"{each}-root").public_key for each in REPOSITORIES}
        return {"fleet": self._folder.name} | {each: {"id": k.keyid, "key": k.to_dict()} for each, k in keys.items()}

    def holders(self, requests: Iterable[Mapping[str, Any]], threshold: int) -> list[Json]:
        """The next roots, under the keys of this machine and of the `requests`, any `threshold` of them together.

        Raises UsageError for a request of another fleet.
        """
        requests = list(requests)
        for each in requests:
            if each.get("fleet") != self._folder.name:
                raise UsageError("That request is for another fleet", "", "`lamplight keys request` against this shim")
        offers: list[Json] = []
        for repository in REPOSITORIES:
            keys = [self._own(repository).public_key, *(_public(each[repository]) for each in requests)]
            root = root_metadata.with_holders(self._following(repository), keys, threshold)
            offers.append(self._offer(repository, root))
        return offers

    def revoke(self, prefix: str) -> Json:
        """The next root of a repository, without its root key whose id begins with `prefix`.

        Raises NotFoundError unless exactly one root key fits.
        """
        for repository in REPOSITORIES:
            found = [each for each in self._root(repository).roles["root"].keyids if each.startswith(prefix)]
            if len(found) == 1 and prefix:
                self._own(repository)
                return self._offer(repository, root_metadata.without_key(self._following(repository), found[0]))
        raise NotFoundError(
            f"{prefix!r} begins none of the root keys' ids, or several",
            "only another machine's root key is revoked so; the others are replaced by `lamplight keys rotate`",
            "`lamplight keys show` tells the ids",
        )

    def sign(self, pending: Mapping[str, Mapping[str, Any]]) -> list[Json]:
        """The roots waiting for signatures, with this machine's where it counts; empty when it counts nowhere."""
        offers: list[Json] = []
        for repository, each in pending.items():
            key, metadata = self._key(repository), release_metadata.parse(each["root"])
            counts = {*self._root(repository).roles["root"].keyids, *metadata.signed.roles["root"].keyids}
            if key is not None and key.public_key.keyid in counts - set(metadata.signatures):
                metadata.sign(key, append=True)
                offers.append({_OFFERED[repository]: release_metadata.text_of(metadata)})
        return offers

    def _finish_rotation(self) -> None:
        """Put the new director-root in place of the old once the director's root names it."""
        if not key_files.exists(self._next, "director-root"):
            return
        new = key_files.read(self._next, "director-root").public_key.keyid
        if new in self._root("director").roles["root"].keyids:
            durable.rename(self._next / "director-root.pem", self._folder / "director-root.pem")

    def _root(self, repository: str) -> Root:
        return root_metadata.root_of(self._roots[repository])

    def _following(self, repository: str) -> Root:
        return release_metadata.successor(self._roots[repository])

    def _key(self, repository: str) -> CryptoSigner | None:
        name = f"{repository}-root"
        return key_files.read(self._folder, name) if key_files.exists(self._folder, name) else None

    def _own(self, repository: str) -> CryptoSigner:
        key = self._key(repository)
        if key is None or not self.owns(repository):
            raise RejectedError(
                f"This machine cannot change the {repository} repository's keys",
                f"no key in {self._folder} is one that may",
                "`lamplight keys take`, or go to the machine on which that was run",
            )
        return key

    def _offer(self, repository: str, root: Root, *keys: CryptoSigner) -> Json:
        """The root in the form of an offer, signed by these keys, or by this machine's own where it has one."""
        own = self._key(repository)
        signers = keys or ((own,) if own else ())
        return {_OFFERED[repository]: release_metadata.signed_text(root, self._clock() + ROOT, *signers)}


def _public(made: Mapping[str, Any]) -> Key:
    try:
        return Key.from_dict(made["id"], dict(made["key"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError("That is no public key", str(error), "a file that `lamplight keys request` wrote") from None


def _make_folder(folder: Path) -> None:
    durable.make_folder(folder, 0o700)
    folder.chmod(0o700)
