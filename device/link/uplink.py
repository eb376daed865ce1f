"""Sends the outbox to the shim: per stream one batch at a time, again until it is acknowledged.

A record waits GATHER for others to travel with it: each batch costs the board, the broker and the shim far more than
each record in it. An unacknowledged batch is sent again after a timeout and after each reconnection; the shim drops its
duplicates. The outbox alone keeps the records.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from device.link.record_file import Row
from device.protocol.messages import Ack
from device.protocol.topics import STREAMS

# A slow shim must not be sent the same batch over and over.
RESEND_AFTER = 5.0
# Seconds between a record and its batch.
GATHER = 0.1
# A batch of so many bytes was probably cut: the records behind it need not wait for more.
LONG = 32 * 1024

_log = logging.getLogger(__name__)


class Source(Protocol):
    """Its needs of the outbox."""

    def next_batch(self, stream: str) -> list[Row]: ...  # noqa: D102
    def acknowledge(self, stream: str, boot: str, seq: int) -> bool: ...  # noqa: D102


@dataclass
class _InFlight:
    boot: str
    seq: int
    sent: float
    long: bool


class Uplink:
    """`send(stream, payload)` publishes and says whether it could."""

    def __init__(
        self,
        outbox: Source,
        send: Callable[[str, bytes], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._clock = clock
        self._condition = threading.Condition()
        self._in_flight: dict[str, _InFlight] = {}
        self._faults: set[str] = set()
        self._due = True
        self._hurried = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; unacknowledged records stay in the outbox."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._thread.join()

    def wake(self) -> None:
        """There may be something new to send; any thread, and cheap, for every record comes with it."""
        # Without the lock: it is cleared before the outbox is looked at, so nothing is missed.
        if not self._due:
            with self._condition:
                self._due = True
                self._condition.notify_all()

    def connected(self) -> None:
        """A new connection: the batches in flight are lost, as far as we know."""
        with self._condition:
            self._in_flight.clear()
            self._hurry()

    def acknowledged(self, ack: Ack) -> None:
        """The shim has made records durable. An acknowledgement of unknown records changes nothing."""
        if self._outbox.acknowledge(ack.stream, ack.boot, ack.seq):
            with self._condition:
                landed = self._in_flight.pop(ack.stream, None)
                if landed and landed.long:
                    self._hurry()
            self.wake()

    def _hurry(self) -> None:
        self._due = self._hurried = True
        self._condition.notify_all()

    def _wait(self) -> bool:
        """Until there is something to send, or it is time to look; False at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._due or self._stopping, timeout=RESEND_AFTER / 2)
            self._condition.wait_for(lambda: self._hurried or self._stopping, timeout=GATHER)
            self._due = self._hurried = False
            return not self._stopping

    def _run(self) -> None:
        while self._wait():
            for stream in STREAMS:
                try:
                    self._send_next(stream)
                    self._faults.discard(stream)
                except Exception as error:
                    self._tell_fault(stream, error)

    def _tell_fault(self, stream: str, error: Exception) -> None:
        # An unreadable disk, most likely; tried again with the next wake or timeout. Told once, for telling
        # wakes this thread.
        if stream not in self._faults:
            self._faults.add(stream)
            _log.error("The waiting %s cannot be sent: %r", stream, error)

    def _send_next(self, stream: str) -> None:
        with self._condition:
            flying = self._in_flight.get(stream)
            if flying is not None and self._clock() - flying.sent < RESEND_AFTER:
                return
        rows = self._outbox.next_batch(stream)
        # Noted before it is sent: the acknowledgement may be faster than this thread.
        if rows:
            long = sum(len(row.body) for row in rows) >= LONG
            with self._condition:
                self._in_flight[stream] = _InFlight(rows[-1].boot, rows[-1].seq, self._clock(), long)
        if rows and not self._send(stream, _payload(rows[0].boot, (row.body for row in rows))):
            with self._condition:
                self._in_flight.pop(stream, None)


def _payload(boot: str, bodies: Iterable[str]) -> bytes:
    # The bodies are JSON already: joined, not parsed and written anew.
    return f'{{"boot":"{boot}","records":[{",".join(bodies)}]}}'.encode()
