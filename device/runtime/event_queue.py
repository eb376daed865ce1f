"""The bounded queue of events that wait for one function.

Offering never waits: when the queue is full the oldest event is dropped and counted. A pipe wakes the one thread that
takes.
"""

import os
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

from device.event import Event


@dataclass(frozen=True)
class Waiting:
    """An event, and where its result goes when somebody waits for it."""

    event: Event
    reply: "Future[object] | None" = None

    def fail(self, error: Exception) -> None:
        """It will not be handled, or was not handled to its end."""
        if self.reply and not self.reply.done():
            self.reply.set_exception(error)


class EventQueue:
    """At most `room` events."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._events: deque[Waiting] = deque()
        self._lock = threading.Lock()
        self._woken, self._wake = os.pipe()
        for fd in (self._woken, self._wake):
            os.set_blocking(fd, False)
        self._idle = False
        self._closed = False
        self.dropped = 0

    def fileno(self) -> int:
        """Readable when there may be something to take, after `take` found nothing."""
        return self._woken

    def offer(self, waiting: Waiting) -> Waiting | None:
        """Put an event at the end; the one dropped for it, if any. A closed queue drops all."""
        with self._lock:
            if self._closed:
                return waiting
            oldest = self._events.popleft() if len(self._events) >= self._room else None
            self.dropped += oldest is not None
            self._events.append(waiting)
            # A wake-up costs a system call: only when the taker waits for it.
            if self._idle:
                self._nudge()
        return oldest

    def nudge(self) -> None:
        """Wake the taker although there may be nothing to take."""
        with self._lock:
            self._nudge()

    def _nudge(self) -> None:
        self._idle = False
        if self._closed:
            return
        try:
            os.write(self._wake, b"!")
        except BlockingIOError:
            # The pipe is full of wake-ups already.
            pass

    def take(self) -> Waiting | None:
        """The oldest event; None when there is none, and then `fileno` tells when to look again."""
        with self._lock:
            if self._events:
                self._idle = False
                return self._events.popleft()
            self._idle = True
            return None

    def calm(self) -> None:
        """Take back the wake-ups that have been acted on."""
        try:
            os.read(self._woken, 4096)
        except BlockingIOError:
            pass

    def close(self) -> list[Waiting]:
        """Take no more. Gives those that nobody will take."""
        with self._lock:
            self._closed = True
            os.close(self._woken)
            os.close(self._wake)
            left, self._events = list(self._events), deque()
            return left
