"""Private keys as files: `<name>.pem` in one folder, ed25519, readable by the owner only.

The use of each key is left to others.
"""

# securesystemslib.signer re-exports its classes in a way that pyright does not see.
# pyright: reportPrivateImportUsage=false

from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

from device import durable
from device.errors import LamplightError


def make(folder: Path, name: str) -> CryptoSigner:
    """The key `name`, made now unless it is there."""
    path = _path(folder, name)
    if not path.exists():
        durable.write_file(path, CryptoSigner.generate_ed25519().private_bytes, mode=0o600)
    return read(folder, name)


def read(folder: Path, name: str) -> CryptoSigner:
    """The key `name`; LamplightError when its file holds no key."""
    path = _path(folder, name)
    try:
        return CryptoSigner(load_pem_private_key(path.read_bytes(), None))  # pyright: ignore[reportArgumentType]
    except (OSError, ValueError, TypeError) as error:
        raise LamplightError(f"{path} holds no key", str(error), "put it back from your copy of the folder") from None


def exists(folder: Path, name: str) -> bool:
    """Whether the folder holds this key."""
    return _path(folder, name).exists()


def remove(folder: Path, name: str) -> None:
    """Delete the key's file."""
    durable.remove(_path(folder, name))


def replace(folder: Path, new: str, name: str) -> None:
    """Have the key `new` in place of the key `name`."""
    durable.rename(_path(folder, new), _path(folder, name))


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.pem"
