"""Takes the devices' messages in: presence, reported state, batches of records, requests for chunks, replies to calls.

A batch is inserted in one transaction, committed, and only then acknowledged: the device deletes acknowledged records,
and a broker's PUBACK says nothing about the database. Messages against the protocol are dropped with a warning. Whose
turn it is, and what is beyond its device's budget, is decided before (turns.py). The topic names the sender of a
message, never the body: the broker's access rules hold the device to its topics.
"""

import json
import logging
import time
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud_shim.broker.session import Link
from cloud_shim.database import Database
from cloud_shim.fleet.calls import Calls
from cloud_shim.fleet.changes import Changes
from cloud_shim.fleet.outcomes import Outcome, Outcomes
from cloud_shim.fleet.silence import is_silent
from cloud_shim.fleet.twins import Twins
from cloud_shim.records import libraries, recording
from cloud_shim.records.budgets import Message
from cloud_shim.tables import DeviceRow, RecordRow, ReportRow
from device.errors import OfflineError
from device.protocol import messages, reported, topics
from device.protocol.errors import ProtocolError
from device.protocol.messages import Ack, Batch
from device.protocol.topics import Topic

logger = logging.getLogger(__name__)

Wanted = Callable[[str, list[str]], None]
"""Called with a device and the chunks it asks for."""
Heard = Callable[[str, float, bool], None]
"""Called with a device and the time on its clock, in seconds since 1970; True when it is that of a record."""
Asked = Callable[[Topic, bytes], None]
"""Called with the topic and body of a request for a password."""


class Ingest:
    """Receives the devices' messages, one after the other, on one thread."""

    def __init__(
        self,
        database: Database,
        link: Link,
        wanted: Wanted,
        calls: Calls,
        changes: Changes,
        asked: Asked,
        outcomes: Outcomes,
        deployed: Callable[[str], None],
        heard: Heard,
        twins: Twins,
    ) -> None:
        """`deployed` is called with a device that is asked for another deployment since its last one failed."""
        self._outcomes = outcomes
        self._deployed = deployed
        self._heard = heard
        self._twins = twins
        self._asked = asked
        self._database = database
        self._link = link
        self._wanted = wanted
        self._calls = calls
        self._changes = changes

    def receive(self, message: Message) -> None:
        """Handle one message; a `retained` one had been kept by the broker: it then says nothing about now."""
        topic = message.topic
        try:
            if topic.kind == "ask":
                self._asked(topic, message.payload)
            elif self._known(topic.device):
                self._handle(topic, message.payload, message.retained)
            else:
                logger.warning("dropped a message from the unknown device %s", topic.device)
        except ProtocolError as error:
            logger.warning("dropped a message on %s: %s", topic, error)

    def _known(self, device: str) -> bool:
        with self._database.read() as session:
            return session.get(DeviceRow, device) is not None

    def _handle(self, topic: Topic, payload: bytes, retained: bool) -> None:
        if topic.kind != "presence" and self._twins.refusal(topic.device):
            return
        if topic.kind == "up":
            self._records(topic.device, topic.leaf, messages.batch(payload))
        elif topic.kind == "presence":
            self._presence(topic.device, payload, retained)
        elif topic.kind == "reported":
            self._reported(topic.device, payload, retained)
        elif topic.kind == "want":
            self._wanted(topic.device, messages.want(payload))
        elif topic.kind == "reply":
            self._calls.replied(topic.device, topic.leaf, messages.reply(payload))

    def _records(self, device: str, stream: str, batch: Batch) -> None:
        if not batch.records:
            return
        now = time.time()
        rows = recording.rows(device, stream, batch, now)
        with self._database.write() as session:
            known = _known_seqs(session, device, batch.boot, rows)
            new = [row for row in rows if row.seq not in known]
            session.add_all(new)
            ended = [each for row in new if (each := recording.outcome_of_record(row))]
            replaced = self._note(session, device, ended)
            returned = _seen(session, device, now)
        self._acknowledge(device, stream, batch)
        if new:
            self._heard(device, max(row.time for row in new), True)
            self._changes.records()
        if replaced:
            self._deployed(device)
        if returned or replaced:
            self._changes.device(device)

    def _note(self, session: Session, device: str, outcomes: list[Outcome]) -> bool:
        """Whether the device is asked for something else now."""
        replaced = False
        for each in outcomes:
            replaced = self._outcomes.note(session, device, each) or replaced
        return replaced

    def _acknowledge(self, device: str, stream: str, batch: Batch) -> None:
        ack = Ack(stream, batch.boot, recording.last_seq(batch))
        try:
            self._link.send(topics.of_device(self._link.fleet, device, "ack"), ack.encode(), qos=0)
        except OfflineError:
            logger.info("could not acknowledge to %s; it will send again", device)

    def _presence(self, device: str, payload: bytes, retained: bool) -> None:
        presence = messages.presence(payload)
        if presence.online and not retained and not self._twins.connected(device, presence.hardware):
            logger.warning("kept another board out: %s", self._twins.refusal(device))
            self._changes.device(device)
            return
        if presence.time is not None and not retained:
            self._heard(device, presence.time, False)
        with self._database.write() as session:
            row = session.get_one(DeviceRow, device)
            if not presence.online and presence.session < row.session:
                # The will of a connection that was replaced: the broker noticed its end late.
                return
            row.online, row.session = presence.online, presence.session
            if not retained:
                row.last_seen = time.time()
        self._changes.device(device)

    def _reported(self, device: str, payload: bytes, retained: bool) -> None:
        body = messages.decode(payload, "reported")
        report = reported.parse(body)
        now = time.time()
        with self._database.write() as session:
            # As it came: the API passes on the further fields of a newer agent.
            self._twins.heard(session, device)
            session.merge(ReportRow(device=device, body=json.dumps(body), received=now))
            libraries.note(session, device, report.libraries, now)
            session.flush()
            replaced = self._note(session, device, recording.outcomes_of_report(report))
            if not retained:
                _seen(session, device, now)
        if replaced:
            self._deployed(device)
        self._changes.device(device)


def _known_seqs(session: Session, device: str, boot: str, rows: list[RecordRow]) -> set[int]:
    """The numbers of the rows' range already in the database: the device sends unacknowledged records again."""
    if not rows:
        return set()
    seqs = [row.seq for row in rows]
    of_boot = select(RecordRow.seq).where(RecordRow.device == device, RecordRow.boot == boot)
    return set(session.scalars(of_boot.where(RecordRow.seq.between(min(seqs), max(seqs)))))


def _seen(session: Session, device: str, now: float) -> bool:
    """Note that the device lives. Gives whether this is news: it was silent, or its presence was lost with a broker."""
    row = session.get_one(DeviceRow, device)
    returned = not row.online or is_silent(row.online, row.last_seen, row.last_seen, now)
    row.online, row.last_seen = True, now
    return returned
