"""The text of a token: how a new one is made, and the digest that the shim keeps of it.

The command line reads it too, so it imports no database.
"""

import hashlib
import secrets

PREFIX = "lamplight_"
"""Tokens begin with it, so that a search for secrets finds them."""


def new() -> str:
    """A token: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """The shim's own note of a token. A token is random, so a plain hash of it tells nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
