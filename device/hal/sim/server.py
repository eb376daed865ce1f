"""Serve the simulated hardware on a Unix socket, to several clients at once.

A connection owns the GPIO lines it requested, and loses them when it ends, however it ends. The requests' meaning is in
`requests.py`.
"""

import asyncio
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from device.errors import UsageError
from device.hal.sim.parts.assembly import Assembly
from device.hal.sim.requests import answer

LONGEST_REQUEST = 64 * 1024
# A Unix socket refuses a connection at once when this many wait, so a busy machine needs more than the usual 100.
WAITING_CONNECTIONS = 1024
# Workers with a user of their own reach it by this group, as by the groups gpio and i2c on a real board. From a range
# never handed out (https://systemd.io/UIDS-GIDS), for it needs no name.
GROUP = 1_899_999_999


def listen(path: Path) -> socket.socket:
    """A listening socket at `path` for this user alone, and where this user is root also for GROUP.

    Raises UsageError when that cannot be.

    A socket file left by a dead process is replaced; one still served is left alone.
    """
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        # A connection is possible only after listen(), so others never get a moment to connect.
        path.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(path, -1, GROUP)
            path.chmod(0o660)
        listener.listen(WAITING_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"the simulated hardware cannot listen at {path}",
            str(error),
            "choose a short path (at most 100 bytes) in a folder that you may write to",
        ) from error
    return listener


async def serve(assembly: Assembly, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answer requests until `stop` is set. Open connections then end with the event loop."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _converse(assembly, reader, writer)

    server = await asyncio.start_unix_server(
        connected, sock=listener, limit=LONGEST_REQUEST, backlog=WAITING_CONNECTIONS
    )
    await stop.wait()
    server.close()


async def _converse(assembly: Assembly, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    owner = object()
    try:
        # readline raises ValueError for a line beyond the limit; half a line at the end is no request.
        with suppress(ConnectionError, ValueError):
            while (line := await reader.readline()).endswith(b"\n"):
                writer.write(answer(assembly, owner, line))
                await writer.drain()
    finally:
        assembly.gpio.release(owner)
        writer.close()


def _clear(path: Path) -> None:
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise UsageError(f"{path} exists and is not a socket", "it is left alone", "choose another path")
    if _is_served(path):
        raise UsageError(f"another process serves simulated hardware at {path}", "", "stop it, or choose another path")
    path.unlink()


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
