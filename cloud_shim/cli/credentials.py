"""The token that a command sends to say who it is, once the shim at the address is the user's own.

A token from LAMPLIGHT_TOKEN goes wherever the user says. One found by the address goes only to a program of this user
or of root: while the shim is down, any user of the machine can listen at its port, and would be given the token.
"""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from cloud_shim.people import token_files
from device import port_holder
from device.errors import RejectedError

_ROOT = 0


def headers(url: str) -> Mapping[str, str]:
    """The headers for a request to the shim at `url`; RejectedError when somebody else listens there."""
    chosen = os.environ.get("LAMPLIGHT_TOKEN", "").strip()
    token = chosen or token_files.find(url)
    if not token:
        return {}
    if not chosen:
        _check_listener(urlsplit(url).port or 80)
    if not (token.isascii() and token.isprintable()):
        raise RejectedError("This is no token", "it has characters that no token has", "look at LAMPLIGHT_TOKEN")
    return {"Authorization": f"Bearer {token}"}


def _check_listener(port: int) -> None:
    others = port_holder.users(port) - {os.getuid(), _ROOT}
    if others:
        raise RejectedError(
            f"Another user's program listens on port {port}",
            f"it is of user id {min(others)}, and would be given your token",
            "ask that user, or give --url with the port of your own shim",
        )
