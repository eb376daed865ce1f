"""The update thread's mailbox for other threads: bounded, and it never blocks them.

Of several desired states only the newest counts. Chunks beyond LIMIT are dropped: the download asks for them again. Of
an overlong message only so much is kept as shows its excess.
"""

import threading
from collections import deque
from dataclasses import dataclass

from device.protocol.chunks import CHUNK_SIZE, digest
from device.trust.rules import MAX_DESIRED

# A download has only a few chunks asked for at a time; any beyond these are strays.
LIMIT = 32


@dataclass(frozen=True)
class Desired:
    """A DESIRED document arrived."""

    payload: bytes


@dataclass(frozen=True)
class Chunk:
    """A chunk arrived."""

    digest: str
    payload: bytes


@dataclass(frozen=True)
class Connected:
    """The link is there, or there again."""


@dataclass(frozen=True)
class Stop:
    """The thread is to end."""


Message = Desired | Chunk | Connected | Stop


class Inbox:
    """A mailbox for one reader and any number of writers."""

    def __init__(self) -> None:
        self._filled = threading.Condition()
        self._stop: Stop | None = None
        self._desired: Desired | None = None
        self._connected: Connected | None = None
        self._chunks: deque[Chunk] = deque()

    def put(self, message: Message) -> None:
        """Leave a message."""
        with self._filled:
            match message:
                case Stop():
                    self._stop = message
                case Desired():
                    self._desired = Desired(message.payload[: MAX_DESIRED + 1])
                case Connected():
                    self._connected = message
                case Chunk() if len(self._chunks) < LIMIT:
                    self._chunks.append(Chunk(message.digest, message.payload[: CHUNK_SIZE + 1]))
                case Chunk():
                    return
            self._filled.notify()

    def take(self, timeout: float | None) -> Message | None:
        """The most urgent message, waiting up to `timeout` seconds (None: for ever) for one."""
        with self._filled:
            self._filled.wait_for(self._any, timeout)
            if self._stop:
                return self._stop
            if self._desired:
                taken, self._desired = self._desired, None
                return taken
            if self._connected:
                taken, self._connected = self._connected, None
                return taken
            return self._chunks.popleft() if self._chunks else None

    def interrupts(self, known: str) -> bool:
        """Whether the thread is to end, or a desired state waits with a digest other than `known`."""
        with self._filled:
            waits = self._desired
            return bool(self._stop) or (waits is not None and digest(waits.payload) != known)

    def _any(self) -> bool:
        return bool(self._stop or self._desired or self._connected or self._chunks)
