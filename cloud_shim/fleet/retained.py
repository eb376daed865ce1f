"""The broker's retained messages for the fleet: chunks, and each device's `desired`. Sends, and remembers what it sent.

A chunk is known to be there only for as long as the broker keeps our session. The database notes each chunk once it
*may* be there, so it can be removed one day. The messages to retain are chosen by publisher.py.
"""

from collections import deque
from collections.abc import Callable, Iterable

import paho.mqtt.client as mqtt
from sqlalchemy import bindparam, delete, insert, select

from cloud_shim.broker.session import Link
from cloud_shim.database import Database
from cloud_shim.tables import SeededRow
from device.errors import OfflineError
from device.protocol import topics

_WINDOW = 32  # messages handed to the session before the oldest is acknowledged: bounds memory to 4 MB

ReadChunk = Callable[[], bytes]


class Retained:
    """The retained messages of one fleet. For one thread; every method raises OfflineError when the broker goes."""

    def __init__(self, database: Database, link: Link) -> None:
        self._database = database
        self._link = link
        self._there: set[str] = set()

    def forget(self) -> None:
        """The broker lost everything."""
        self._there.clear()

    def missing(self, digests: Iterable[str]) -> set[str]:
        """The chunks not known to be there."""
        return set(digests) - self._there

    def seed(self, chunks: dict[str, ReadChunk]) -> None:
        """Have these chunks retained (again), by digest; each is read when its turn comes."""
        with self._database.write() as session:
            new = chunks.keys() - set(session.scalars(select(SeededRow.sha256)))
            if new:
                session.execute(insert(SeededRow), [{"sha256": digest} for digest in sorted(new)])
        self._deliver((topics.chunk(self._link.fleet, digest), read) for digest, read in chunks.items())
        self._there |= chunks.keys()

    def sweep(self, needed: set[str]) -> None:
        """Remove every chunk but the needed ones: an empty retained message takes the old one away."""
        with self._database.read() as session:
            stale = set(session.scalars(select(SeededRow.sha256))) - needed
        if not stale:
            return
        self._there -= stale
        self._deliver((topics.chunk(self._link.fleet, digest), bytes) for digest in stale)
        with self._database.write() as session:
            one = delete(SeededRow).where(SeededRow.sha256 == bindparam("digest"))
            session.connection().execute(one, [{"digest": digest} for digest in stale])

    def desired(self, device: str, document: bytes) -> None:
        """Have the device's `desired` retained."""
        self._deliver([(topics.of_device(self._link.fleet, device, "desired"), lambda: document)])

    def clear(self, device: str) -> None:
        """Remove every message under the device's own topics: it was revoked."""
        fleet = self._link.fleet
        kept = [topics.of_device(fleet, device, kind) for kind in ("presence", "reported", "want", "desired")]
        kept += [topics.up(fleet, device, stream) for stream in topics.STREAMS]
        self._deliver((topic, bytes) for topic in kept)

    def _deliver(self, messages: Iterable[tuple[str, ReadChunk]]) -> None:
        """Send, and return when the broker has acknowledged all of it."""
        sent: deque[mqtt.MQTTMessageInfo] = deque()
        for topic, read in messages:
            sent.append(self._link.send(topic, read(), retain=True))
            if len(sent) >= _WINDOW:
                self._acknowledged(sent.popleft())
        while sent:
            self._acknowledged(sent.popleft())

    def _acknowledged(self, message: mqtt.MQTTMessageInfo) -> None:
        while not message.is_published():
            message.wait_for_publish(1.0)
            if not self._link.connected:
                raise OfflineError("The broker went away while messages were sent to it")
