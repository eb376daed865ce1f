"""A password for the broker, and its entry in the broker's password file. It keeps nothing."""

import base64
import hashlib
import os
import secrets

from device.protocol.enrolment import ITERATIONS

_SALT_BYTES = 12


def new_password() -> str:
    """A password of 256 random bits, in characters safe anywhere."""
    return secrets.token_urlsafe(32)


def hash_password(password: str) -> str:
    """`password` as mosquitto's password file holds it: `$7$`, PBKDF2-HMAC-SHA512 with a 12-byte salt."""
    salt = os.urandom(_SALT_BYTES)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${derive(password, salt, ITERATIONS)}"


def derive(password: str, salt: bytes, iterations: int) -> str:
    """The last part of such a hash."""
    return base64.b64encode(hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations)).decode()
