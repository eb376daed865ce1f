"""The owner's token on disk, and the way from a shim's address to it.

The token lies in the shim's state folder, readable by its owner only. Beside it, the user's configuration folder has a
small file for each running shim, named after its port: it says where the token lies. So a command finds the token from
the address of the shim alone, in whatever folder it is typed, and other users find nothing.
"""

import contextlib
import logging
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cloud_shim.people import token_text
from device import durable

logger = logging.getLogger(__name__)

FILE = "owner-token"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def owner(state: Path) -> str:
    """The owner's token of the shim with this state folder: a new one when there is none, or others could read it."""
    path = state / FILE
    return _private(path) or write(state, token_text.new())


def write(state: Path, token: str) -> str:
    """Make this the owner's token on disk; gives it back."""
    durable.write_file(state / FILE, f"{token}\n".encode(), mode=0o600)
    return token


@contextmanager
def announced(port: int, state: Path) -> Generator[None]:
    """Note, for this user's commands and while the block runs, that the shim at `port` has its token in `state`.

    Without a folder for that, commands need LAMPLIGHT_TOKEN, and the log says so.
    """
    _announce(port, state)
    try:
        yield
    finally:
        _withdraw(port, state)


def _announce(port: int, state: Path) -> None:
    try:
        place = _place(port)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.write_file(place, f"{(state / FILE).resolve()}\n".encode(), mode=0o600)
    except (OSError, RuntimeError) as error:
        logger.warning("commands will not find the token %s by themselves (%s)", state / FILE, error)


def _withdraw(port: int, state: Path) -> None:
    # Another shim may have replaced it meanwhile.
    with contextlib.suppress(OSError, RuntimeError):
        if _place(port).read_text().strip() == str((state / FILE).resolve()):
            _place(port).unlink()


def find(url: str) -> str:
    """The token of this user's shim at `url`; "" for none."""
    try:
        parts = urlsplit(url)
        if parts.hostname not in _LOOPBACK:
            return ""
        return Path(_place(parts.port or 80).read_text().strip()).read_text().strip()
    except (OSError, RuntimeError, ValueError):
        return ""


def _place(port: int) -> Path:
    """The note for the shim at this port. RuntimeError for a user without a home."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config, "lamplight", "shims", str(port))


def _private(path: Path) -> str:
    """What the file says; "" when it is missing, or open to anybody else."""
    try:
        with path.open() as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
                logger.warning("%s was open to others; there is a new token", path)
                return ""
            return file.read().strip()
    except FileNotFoundError:
        return ""
