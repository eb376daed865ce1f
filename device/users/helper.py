"""Fills a user namespace of the agent's with the users of functions, and ends. It is root's; the agent is not root.

    python3 -I -S helper.py USER           standard input is the connection to be answered

systemd starts it for each connection to a Unix socket that USER alone may open: the service's user. It has the rights
to choose users and groups, and no others (CAP_SETUID, CAP_SETGID). It reads nothing from the connection: the kernel
names the process at the other end, and the namespace to fill is that process's own. In it USER becomes root, and the
users of functions become themselves; nobody else is there (user_namespaces(7)).

It comes with the installation, and no deployment replaces it. So it imports nothing of ours.
"""

import contextlib
import os
import pwd
import socket
import struct
import sys
from collections.abc import Sequence

# One user for each function, in an unused range (https://systemd.io/UIDS-GIDS: 1879048192 to 2147483647). They need no
# names in passwd.
FIRST_USER = 1_900_000_000
USERS = 240_000_000
GIVEN = "given"
# A kernel takes 340 lines a map; the service has the groups of pins and buses.
_MOST_GROUPS = 32
# For a client that does not take its answer, in seconds.
_PATIENCE = 5.0
_UCRED = struct.Struct("iII")
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class RefusedError(Exception):
    """This process gets no users, and why."""


def users(service: int) -> str:
    """The text of uid_map: the service as root, and each function as itself."""
    return f"0 {service} 1\n{FIRST_USER} {FIRST_USER} {USERS}\n"


def groups(service: int, more: Sequence[int]) -> str:
    """The text of gid_map: as `users`, with `more` groups, for devices, as themselves."""
    return users(service) + "".join(f"{each} {each} 1\n" for each in more)


def device_groups(status: str, user: int, group: int) -> list[int]:
    """The further groups of a process, from the text of its /proc/…/status.

    Raises RefusedError unless it is entirely this user's. Groups of the system's root or of functions are left out.
    """
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    if _numbers(told["Uid"]) != [user] * 4 or _numbers(told["Gid"]) != [group] * 4:
        raise RefusedError("that process is not entirely the service's")
    found = {each for each in _numbers(told["Groups"]) if 0 < each < FIRST_USER and each != group}
    if len(found) > _MOST_GROUPS:
        raise RefusedError(f"that process has {len(found)} groups, and {_MOST_GROUPS} are the most")
    return sorted(found)


def give(process: int, user: int, group: int) -> None:
    """Fill the user namespace of this process of the service's. Raises RefusedError, or the kernel's OSError."""
    if not 0 < user < FIRST_USER or not 0 < group < FIRST_USER:
        raise RefusedError("the service's user is the system's root, or a function's")
    # The service is the owner of a namespace that it made. Only as its owner may one fill it without CAP_SYS_ADMIN: so
    # the kernel lets us fill nobody else's. The unit's SecureBits leave us our two capabilities meanwhile.
    os.seteuid(user)
    # This folder is one process's for ever, whoever is given its number later.
    folder = os.open(f"/proc/{process}", _FOLDER)
    try:
        more = device_groups(_read(folder, "status"), user, group)
        # The kernel refuses a second filling too, and a namespace that is no child of ours.
        if _read(folder, "uid_map") or _read(folder, "gid_map"):
            raise RefusedError("that process is not in a user namespace without users")
        _write(folder, "gid_map", groups(group, more))
        _write(folder, "uid_map", users(user))
    finally:
        os.close(folder)


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split()]


def _read(folder: int, name: str) -> str:
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)) as file:
        return file.read()


def _write(folder: int, name: str, text: str) -> None:
    handle = os.open(name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        # The kernel takes a map in one piece only.
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def _answer(peer: socket.socket, name: str) -> str:
    try:
        service = pwd.getpwnam(name)
        process, user, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        if user != service.pw_uid or process <= 0:
            raise RefusedError(f"it serves {name} only")
        give(process, service.pw_uid, service.pw_gid)
    except (RefusedError, KeyError, OSError) as error:
        return f"refused: {error}"
    return GIVEN


def main() -> int:
    """Answer one connection; gives the exit code."""
    with socket.socket(fileno=0) as peer:
        answer = _answer(peer, sys.argv[1])
        # It may be gone.
        with contextlib.suppress(OSError):
            peer.settimeout(_PATIENCE)
            peer.sendall(f"{answer}\n".encode())
    if answer != GIVEN:
        print(answer, file=sys.stderr)  # noqa: T201
    return 0 if answer == GIVEN else 5


if __name__ == "__main__":
    sys.exit(main())
