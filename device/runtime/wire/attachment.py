"""Bytes too long for a packet, beside an event: a file without a name, whose descriptor goes over the channel's socket.

The agent writes it whole before the worker learns of it, so that neither waits for the other.
"""

import os
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_WORD = b"attachment"
_PIECE = 1024 * 1024


@contextmanager
def descriptor(data: bytes) -> Generator[int]:
    """A file with `data`, at its beginning; in memory where the system has such files. Raises OSError."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("body", os.MFD_CLOEXEC), "w+b", buffering=0) as file:
            yield _filled(file.fileno(), data)
    else:
        with tempfile.TemporaryFile(buffering=0) as file:
            yield _filled(file.fileno(), data)


def send(end: socket.socket, data: bytes) -> None:
    """The agent's part, after the packet that announces it. Raises OSError."""
    with descriptor(data) as fd:
        socket.send_fds(end, [_WORD], [fd], socket.MSG_DONTWAIT)


def receive(end: socket.socket, to: Path) -> None:
    """The worker's part: copies the bytes to the new file `to`. Raises OSError, also when there is no room for them."""
    _, fds, _, _ = socket.recv_fds(end, len(_WORD), 1)
    with os.fdopen(fds[0], "rb", buffering=0) as source, to.open("xb", buffering=0) as file:
        while piece := source.read(_PIECE):
            file.write(piece)


def _filled(fd: int, data: bytes) -> int:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
