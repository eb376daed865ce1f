"""The agent's side of helper.py: asks it for a user namespace with the users of functions, and joins that.

Joined, a process is root in the namespace only; seen from outside it is the agent's user as before.
"""

import os
import socket
from pathlib import Path

from device.private_memory import keep_memory_private
from device.sandbox import kernel
from device.users.helper import FIRST_USER, GIVEN, USERS

# systemd's, by flashing/on_board/lamplight-users.socket.
SOCKET = Path("/run/lamplight-users.sock")
# Seconds. systemd starts the helper, an interpreter, on a slow card.
PATIENCE = 30.0
_MOST = 1024


def namespace(path: Path | None = None) -> int:
    """A descriptor of a new user namespace with the users of functions, by the helper at `path` (SOCKET).

    Raises OSError with the reason. It forks, so call it before there are threads.
    """
    mine, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        _make(path or SOCKET, theirs)
    theirs.close()
    with mine:
        said, handles, _, _ = socket.recv_fds(mine, _MOST, 1)
    os.waitpid(child, 0)
    if not handles:
        raise OSError(said.decode(errors="replace") or "the process that asked for it ended")
    os.set_inheritable(handles[0], False)
    return handles[0]


def join(namespace: int) -> None:
    """Make this process, of one thread, root of that namespace; for good. Raises OSError."""
    kernel.setns(namespace, kernel.CLONE_NEWUSER)


def _make(path: Path, parent: socket.socket) -> None:
    """In a child: a namespace made, filled and handed to the parent, or the reason why not. Does not return."""
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
        # The helper writes to files of this process in /proc, as its user.
        keep_memory_private(False)
        answer = _ask(path)
        if answer == GIVEN and not _has_users(Path("/proc/self/uid_map").read_text()):
            answer = "the helper gave other users than this agent's functions have"
        given = [os.open("/proc/self/ns/user", os.O_RDONLY)] if answer == GIVEN else []
        socket.send_fds(parent, [answer.encode()[:_MOST]], given)
    except BaseException as error:
        parent.send(str(error).encode()[:_MOST])
    finally:
        os._exit(0)


def _ask(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as helper:
        helper.settimeout(PATIENCE)
        helper.connect(str(path))
        said = b""
        while len(said) < _MOST and (more := helper.recv(_MOST)):
            said += more
    return said.decode(errors="replace").strip() or "the helper gave no answer"


def _has_users(uid_map: str) -> bool:
    """Whether the users of functions are in it, as themselves."""
    lines = [tuple(map(int, line.split())) for line in uid_map.splitlines()]
    return any(line[:2] == (FIRST_USER, FIRST_USER) and line[2] >= USERS for line in lines)
