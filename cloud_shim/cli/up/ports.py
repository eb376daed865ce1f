"""Whether a TCP port of this machine's loopback is free, or else the process holding it."""

import contextlib
import secrets
import socket
from collections.abc import Mapping

from device.errors import LamplightError, UsageError
from device.port_holder import holder

_HOST = "127.0.0.1"


def ensure_free(port: int, option: str) -> None:
    """Raises LamplightError for a taken port, with its holder, where known, and the option for another port."""
    with socket.socket() as trial:
        # As in the servers: a port whose last connections have only just closed counts as free.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((_HOST, port))
        except OSError as error:
            by = holder(port)
            why = f"{by} listens there" if by else error.strerror or str(error)
            raise LamplightError(f"Port {port} is in use", why, f"stop it, or {option} with another port") from error


def ensure_all_free(wanted: Mapping[str, int]) -> None:
    """As `ensure_free` for each port by its option; UsageError for one wanted twice. 0 is any free port."""
    seen: dict[int, str] = {}
    for option, port in wanted.items():
        if port and (first := seen.setdefault(port, option)) != option:
            raise UsageError(
                f"Port {port} is wanted twice", f"by {first} and by {option}", f"another port for {option}"
            )
    for port, option in seen.items():
        ensure_free(port, option)


def is_open(port: int) -> bool:
    """Whether a server accepts connections at the port."""
    with socket.socket() as trial:
        trial.settimeout(1.0)
        return trial.connect_ex((_HOST, port)) == 0


def free() -> int:
    """A port free at this moment.

    It lies below the system's own choice for connections (Linux: from 32768 on, ip(7)): the system could give
    a port from there to a connection before a server listens at it.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_768)
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.bind((_HOST, port))
            return port
