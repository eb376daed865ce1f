"""Whether a TCP port of this machine's loopback is free, and if not, which process holds it."""

import contextlib
import os
import secrets
import socket
from pathlib import Path

from device.errors import LamplightError

_HOST = "127.0.0.1"
_LISTENING = "0A"  # TCP_LISTEN in Linux' include/net/tcp_states.h


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


def holder(port: int) -> str:
    """The process that listens on the port, as "process 1234 (mosquitto)"; "" when it cannot be known.

    Linux says it in /proc (proc_pid_net(5)), for processes that this user may look into.
    """
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        if not inodes.isdisjoint(_open_files(process)):
            return f"process {process.name} ({_text(process / 'comm')})"
    return ""


def _open_files(process: Path) -> set[str]:
    """What the process has open; nothing for another user's, or one that has just ended."""
    try:
        return {_link(each) for each in (process / "fd").iterdir()}
    except OSError:
        return set()


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""  # closed meanwhile; for our own process the listing's own descriptor is such a one


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return "?"


def _listening(port: int) -> list[str]:
    """The inodes of the sockets that listen on the port."""
    found: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.access(table, os.R_OK):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            found += [row[9] for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]
    return found
