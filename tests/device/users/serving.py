"""The helper as systemd runs it: root with two capabilities, started for each connection to a Unix socket.

And processes of another user, to ask it. Needs root.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from device.private_memory import keep_memory_private
from device.sandbox import kernel
from device.users import helper
from tests.device import forked

# A user of every system, in the place of `lamplight`: 1, and its group 1.
SERVICE, SERVICE_USER = "daemon", 1
STRANGER = 2
COMMAND = [
    *("setpriv", "--bounding-set=-all,+setuid,+setgid", "--inh-caps=-all", "--clear-groups", "--no-new-privs"),
    "--securebits=+no_setuid_fixup",
    *(sys.executable, "-I", "-S", helper.__file__),
]


class Served:
    """The socket's path, and the end of each helper that was started: its exit code, and what it said."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ends: list[tuple[int, str]] = []


@contextlib.contextmanager
def served(mode: int = 0o600) -> Generator[Served]:
    """The helper at a socket of SERVICE's, as flashing/on_board/lamplight-users.socket has it."""
    # Not in pytest's folder, which is closed to other users.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        Path(folder).chmod(0o711)
        at = Served(Path(folder) / "users.sock")
        listening.bind(str(at.path))
        os.chown(at.path, SERVICE_USER, SERVICE_USER)
        at.path.chmod(mode)
        listening.listen()
        thread = threading.Thread(target=_serve, args=(listening, at))
        thread.start()
        try:
            yield at
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listening: socket.socket, at: Served) -> None:
    with contextlib.suppress(OSError):
        while True:
            peer, _ = listening.accept()
            with peer:
                at.ends.append(run(peer))


def run(peer: "socket.socket | int", service: str = SERVICE) -> tuple[int, str]:
    """Let the helper answer one connection; its exit code, and what it said for the journal."""
    end = peer if isinstance(peer, int) else peer.fileno()
    done = subprocess.run([*COMMAND, service], stdin=end, stderr=subprocess.PIPE, text=True, timeout=120)
    return done.returncode, done.stderr


def as_user(look: Callable[[], object], user: int = SERVICE_USER, groups: Sequence[int] = ()) -> Any:
    """What `look` gives in a process of this user, which is thrown away; or its error."""

    def become_and_look() -> object:
        os.setgroups(list(groups))
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        return look()

    return forked.said(become_and_look)


def enter(times: int = 1) -> None:
    """As an agent does before it asks: into a new user namespace, with its files in /proc its own."""
    keep_memory_private(False)
    for _ in range(times):
        kernel.unshare(kernel.CLONE_NEWUSER)


def ask(path: Path, message: bytes = b"") -> str:
    """The helper's answer to a connection with this message."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(120)
        asking.connect(str(path))
        # It may have answered, and be gone, before it was told all.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            asking.sendall(message)
            asking.shutdown(socket.SHUT_WR)
        with asking.makefile() as said:
            try:
                return said.read().strip()
            except ConnectionResetError:
                return "reset"


def maps(process: "int | str" = "self") -> list[list[list[int]]]:
    """The two maps of a process: of users, and of groups."""
    read = [Path(f"/proc/{process}/{kind}_map").read_text().splitlines() for kind in ("uid", "gid")]
    return [[[int(each) for each in line.split()] for line in lines] for lines in read]
