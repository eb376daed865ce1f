"""The private keys that lie with the shim: made at first, replaced, and forgotten once metadata names others.

    <name>.pem             a key; see key_files.py
    <name>-next.pem        an online key to replace it, until a root names it

The files are brought in line with the metadata at each start, so a crash between the two is finished by the next one.
Signing, and reading metadata files, is the work of signing.py.
"""

# securesystemslib.signer re-exports its classes in a way that pyright does not see.
# pyright: reportPrivateImportUsage=false

from collections.abc import Mapping, Set
from pathlib import Path

from securesystemslib.signer import CryptoSigner, Key

from cloud_shim.trust import key_files

# The keys a developer's machine can hold in place of the shim, and the keys the shim needs from day to day.
OFFLINE = ("image-root", "image-targets", "image-releases", "director-root")
ONLINE = ("image-online", "director-online")

# The key ids in the metadata, by the keys' names here.
Named = Mapping[str, Set[str]]


class ShimKeys(dict[str, CryptoSigner]):
    """The keys in `folder`, by name; `named` are the key ids in the metadata, None before there is any."""

    def __init__(self, folder: Path, named: Named | None) -> None:
        super().__init__()
        self._folder = folder
        self.settle(named)

    def held(self) -> list[str]:
        """The names of the keys that lie here."""
        return sorted(self)

    def settle(self, named: Named | None) -> None:
        """Make missing keys at first, put next keys in place once they are named, forget keys no longer named."""
        for name in ONLINE:
            self._promote(name, named)
        for name in (*OFFLINE, *ONLINE):
            if named is None:
                key_files.make(self._folder, name)
            elif name in OFFLINE and self._is_replaced(name, named):
                key_files.remove(self._folder, name)
        present = (name for name in (*OFFLINE, *ONLINE) if key_files.exists(self._folder, name))
        keys = {name: key_files.read(self._folder, name) for name in present}
        self.clear()
        self.update(keys)

    def make_next(self, name: str) -> Key:
        """A new key to replace the online key `name`; drops an earlier one that was never named."""
        key_files.remove(self._folder, _next(name))
        return key_files.make(self._folder, _next(name)).public_key

    def next(self, name: str) -> CryptoSigner | None:
        """The key to replace the online key `name`, if one was made."""
        exists = key_files.exists(self._folder, _next(name))
        return key_files.read(self._folder, _next(name)) if exists else None

    def use_next(self, name: str) -> None:
        """Sign with the next key from now on, before any file names it. `settle` makes this last, or takes it back."""
        following = self.next(name)
        assert following is not None, "a root that names it was accepted"
        self[name] = following

    def _promote(self, name: str, named: Named | None) -> None:
        following = self.next(name)
        if following is not None and named is not None and following.public_key.keyid in named[name]:
            key_files.replace(self._folder, _next(name), name)

    def _is_replaced(self, name: str, named: Named) -> bool:
        if not key_files.exists(self._folder, name):
            return False
        return key_files.read(self._folder, name).public_key.keyid not in named[name]


def _next(name: str) -> str:
    return f"{name}-next"
