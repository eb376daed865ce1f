"""Which process listens on a TCP port of this machine, according to Linux's /proc (proc_pid_net(5)).

It only reads /proc.
"""

import os
from pathlib import Path

_LISTENING = "0A"  # TCP_LISTEN in Linux' include/net/tcp_states.h


def holder(port: int) -> str:
    """The process listening on the port, as "process 1234 (mosquitto)"; "" where it stays unknown."""
    inodes = {f"socket:[{row[9]}]" for row in _listeners(port)}
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        if not inodes.isdisjoint(_open_files(process)):
            return f"process {process.name} ({_text(process / 'comm')})"
    return ""


def users(port: int) -> set[int]:
    """The user ids of the sockets listening on the port; empty where they stay unknown."""
    return {int(row[7]) for row in _listeners(port)}


def _open_files(process: Path) -> set[str]:
    """The files a process has open; empty for another user's process, or one just ended."""
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


def _listeners(port: int) -> list[list[str]]:
    """The rows of the sockets listening on the port, in the columns of the kernel's table."""
    found: list[list[str]] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.access(table, os.R_OK):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            found += [row for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port]
    return found
