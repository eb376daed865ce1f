"""Whether a TCP port of this machine's loopback is free, and if not, which process holds it."""

import contextlib
import secrets
import socket
from collections.abc import Mapping

from device.errors import LamplightError, UsageError
from device.port_holder import holder

_HOST = "127.0.0.1"


def ensure_free(port: int, option: str) -> None:
    """LamplightError names the port, who holds it where that can be known, and the option that changes it."""
    with socket.socket() as trial:
        # As the servers do: a port whose last connections have only just closed counts as free.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((_HOST, port))
        except OSError as error:
            by = holder(port)
            why = f"{by} listens there" if by else error.strerror or str(error)
            raise LamplightError(f"Port {port} is in use", why, f"stop it, or {option} with another port") from error


def ensure_all_free(wanted: Mapping[str, int]) -> None:
    """As `ensure_free` for each port by its option, and UsageError for one that is wanted twice; 0 is any free one."""
    seen: dict[int, str] = {}
    for option, port in wanted.items():
        if port and (first := seen.setdefault(port, option)) != option:
            raise UsageError(
                f"Port {port} is wanted twice", f"by {first} and by {option}", f"another port for {option}"
            )
    for port, option in seen.items():
        ensure_free(port, option)


def is_open(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as trial:
        trial.settimeout(1.0)
        return trial.connect_ex((_HOST, port)) == 0


def free() -> int:
    """A port that nobody has now.

    Below those that the system gives to connections by itself (Linux: from 32768 on, ip(7)): one of these could be
    somebody's connection before a server listens there.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_768)
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.bind((_HOST, port))
            return port
