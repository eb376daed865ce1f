"""One client connection to the simulated hardware, opened at the first request.

A connection is never shared across a fork: a child using its parent's link gets a connection of its own, with none of
the parent's GPIO lines.
"""

import json
import os
import socket
import threading
from pathlib import Path

from device.errors import OfflineError
from device.protocol.fields import integer, table, text

PATIENCE = 5.0  # seconds, for an answer taking microseconds


class Link:
    """A connection to the simulated hardware at `path`. Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._renew()

    def ask(self, op: str, **fields: object) -> dict[str, object]:
        """Perform `op` (see requests.py) and give its answer.

        Raises OSError as the hardware answers it, and OfflineError when the process is gone.
        """
        if self._pid != os.getpid():
            self._renew()
        with self._lock:
            result = self._exchange(json.dumps({"op": op, **fields}).encode() + b"\n")
        if "errno" in result:
            raise OSError(integer(result, "errno", op, 0, 1 << 16), text(result, "error", op))
        return result

    def close(self) -> None:
        """End the connection; the next request opens a new one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _renew(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._stream: socket.socket | None = None

    def _exchange(self, request: bytes) -> dict[str, object]:
        try:
            stream = self._stream = self._stream or self._connect()
            stream.sendall(request)
            return table(json.loads(_line(stream)), "answer")
        except OSError as error:
            self.close()
            raise OfflineError(
                f"the simulated hardware at {self._path} does not answer",
                str(error),
                f"start it: python -m device.hal.sim --socket {self._path}",
            ) from error
        except BaseException:
            # An interrupted exchange leaves an answer on the way; the next request must not take it for its own.
            self.close()
            raise

    def _connect(self) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.settimeout(PATIENCE)
            stream.connect(str(self._path))
        except BaseException:
            stream.close()
            raise
        return stream


def _line(stream: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n"):
        part = stream.recv(65536)
        if not part:
            raise ConnectionResetError("the connection was closed")
        received += part
    return bytes(received)
