"""Passwords of the broker's users: made here, kept only as hashes, in mosquitto's password file.

The format is mosquitto's `$7$`: PBKDF2-HMAC-SHA512 with a 12-byte salt, as `mosquitto_passwd` writes it and
mosquitto(5) reads it; both brokers use the same file. A password never stands on a command line.
It does not tell the broker to read the file again: that is broker.py.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

# mosquitto_passwd's own default. The passwords are 256 random bits, so stretching them gains nothing,
# and the broker computes this on its one thread at each connection of a device.
_ITERATIONS = 101
_SALT_BYTES = 12


def new_password() -> str:
    """A password of 256 random bits, in characters that are safe anywhere."""
    return secrets.token_urlsafe(32)


def hash_password(password: str) -> str:
    """`password` as mosquitto's password file holds it."""
    salt = os.urandom(_SALT_BYTES)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${_derive(password, salt, _ITERATIONS)}"


def matches(password: str, hashed: str) -> bool:
    """Whether `password` is the one in `hashed`; False for a hash of another form."""
    try:
        _, form, iterations, salt, derived = hashed.split("$")
        computed = _derive(password, base64.b64decode(salt, validate=True), int(iterations))
    except ValueError:
        return False
    return form == "7" and hmac.compare_digest(computed, derived)


def read(path: Path) -> dict[str, str]:
    """The hash of each user in the password file; empty when there is no file yet."""
    if not path.exists():
        return {}
    return dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)


def write(path: Path, hashes: Mapping[str, str]) -> None:
    """Replace the password file, readable by its owner only, in one step."""
    write_private(path, "".join(f"{user}:{hashed}\n" for user, hashed in sorted(hashes.items())))


def write_private(path: Path, text: str) -> None:
    """Replace `path` by one with `text` that only its owner can read, in one step."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def _derive(password: str, salt: bytes, iterations: int) -> str:
    return base64.b64encode(hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)).decode()
