"""The order of commit and acknowledgement, and what strangers may send. The link is the test's own."""

import json
import logging

import pytest

from cloud_shim.database import Database
from cloud_shim.fleet import deployments, generations
from cloud_shim.fleet.calls import Calls
from cloud_shim.fleet.changes import Changes
from cloud_shim.fleet.outcomes import Outcomes
from cloud_shim.fleet.twins import Twins
from cloud_shim.records import history
from cloud_shim.records.budgets import Message
from cloud_shim.records.history import Wanted
from cloud_shim.records.ingest import Ingest
from cloud_shim.releases.blobs import Blobs
from cloud_shim.releases.registry import Registry
from cloud_shim.tables import DeploymentRow, DeviceRow
from cloud_shim.trust.signing import Signing
from device.errors import OfflineError
from device.protocol import topics
from device.protocol.messages import MAX_MESSAGE, Batch, Presence, encode
from tests import samples

BOOT = "3-0123abcd"


class LookingLink:
    """Notes every message sent, with how many records the database had then."""

    fleet = "home"

    def __init__(self, database) -> None:
        self.sent = []
        self.away = False
        self._database = database

    def send(self, topic, payload, *, qos=1, retain=False):
        if self.away:
            raise OfflineError("away")
        self.sent.append((topic, json.loads(payload), len(history.records(self._database, Wanted(), 0, 1000))))


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'shim.db'}")
    with made.write() as session:
        for name in ("pi", "tv"):
            session.add(DeviceRow(name=name, board="lamplight/simulated", credential="", created=0.0))
    return made


@pytest.fixture
def link(database):
    return LookingLink(database)


@pytest.fixture
def deployed():
    return []


@pytest.fixture
def heard():
    return []


@pytest.fixture
def ingest(database, link, deployed, heard, tmp_path):
    registry = Registry(database, Blobs(tmp_path / "artifacts"), Signing(tmp_path / "signing"))
    return Ingest(
        database,
        link,
        lambda device, chunks: None,
        Calls(link),
        Changes(),
        lambda topic, payload: None,
        Outcomes("home", registry),
        deployed.append,
        lambda device, seconds, of_record: heard.append((device, seconds, of_record)),
        Twins(database),
    )


@pytest.fixture
def send(ingest):
    def up(*seqs, device="pi", stream="logs", boot=BOOT, **fields):
        records = [samples.log(seq, **fields) for seq in seqs]
        ingest.receive(Message.of(topics.up("home", device, stream), Batch(boot, records).encode(), False))

    return up


@pytest.fixture
def stored(database):
    return lambda **wanted: history.records(database, Wanted(**wanted), 0, 1000)


@pytest.fixture
def device(database):
    def get(name="pi"):
        with database.read() as session:
            return session.get(DeviceRow, name)

    return get


@pytest.fixture
def presence(ingest):
    def announce(online, session, retained=False):
        said = Presence(online, session).encode()
        ingest.receive(Message.of("lamplight/1/home/d/pi/presence", said, retained))

    return announce


def test_a_batch_is_acknowledged_when_it_can_be_read_from_the_database(send, link):
    send(1, 2, 3)
    assert link.sent == [("lamplight/1/home/d/pi/ack", {"stream": "logs", "boot": BOOT, "seq": 3}, 3)]


def test_batch_that_cannot_be_stored_is_not_acknowledged(send, link, stored, monkeypatch):
    def disk_full(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
        patch.setattr("cloud_shim.records.ingest._seen", disk_full)
        send(1)
    assert link.sent == []
    assert stored() == []
    send(1)
    assert len(stored()) == 1


def test_batch_sent_again_is_acknowledged_again_and_kept_once(send, link, stored):
    send(1, 2)
    send(1, 2, 3)
    assert [ack["seq"] for _, ack, _ in link.sent] == [2, 3]
    assert [record["seq"] for record in stored()] == [1, 2, 3]


def test_connection_lost_between_commit_and_acknowledgement_makes_no_duplicate(send, link, stored):
    link.away = True
    send(1, 2)
    link.away = False
    send(1, 2)
    assert [record["seq"] for record in stored()] == [1, 2]
    assert len(link.sent) == 1


def test_another_boot_counts_from_the_start(send, stored):
    send(1)
    send(1, boot="4-0123abcd")
    send(1, device="tv")
    assert len(stored()) == 3


def test_record_that_claims_another_device_or_id_is_kept_as_its_senders(ingest, stored):
    forged = samples.log(1, device="tv", id=999, stream="events", received=0)
    ingest.receive(Message.of("lamplight/1/home/d/pi/up/logs", Batch(BOOT, [forged]).encode(), False))
    (record,) = stored()
    assert (record["device"], record["stream"], record["id"]) == ("pi", "logs", 1)
    assert record["received"] > 0


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("d/pi/up/logs", b""),
        ("d/pi/up/logs", b"\xff\xfe"),
        ("d/pi/up/logs", b"[" * 100_000),
        ("d/pi/up/logs", b'{"boot": "1-0123abcd", "records": [{"seq": -1, "time": 0}]}'),
        ("d/pi/up/logs", b'{"boot": "1-0123abcd", "records": [{"seq": 1e999, "time": 0}]}'),
        ("d/pi/up/logs", b" " * (MAX_MESSAGE + 1)),
        ("d/pi/presence", b'{"online": "yes", "session": 1}'),
        ("d/pi/reported", b'{"generation": "7"}'),
        ("d/pi/reported", b'{"board": "b", "boot": "c", "functions": [], "models": {}, "sensors": {}}'),
        ("d/pi/want", b'{"chunks": ["../../etc/passwd"]}'),
        ("d/pi/reply/lamp", b'{"id": 7}'),
        ("d/stranger/up/logs", b'{"boot": "1-0123abcd", "records": [{"seq": 1, "time": 0, "kind": "log"}]}'),
    ],
)
def test_malformed_message_is_dropped_with_a_warning(ingest, link, stored, caplog, topic, payload):
    with caplog.at_level(logging.WARNING):
        ingest.receive(Message.of(f"lamplight/1/home/{topic}", payload, False))
    assert "dropped" in caplog.text
    assert stored() == []
    assert link.sent == []


def test_presence_is_kept_with_when_it_was_seen(presence, device):
    presence(True, 4)
    assert device().online
    assert device().last_seen is not None
    presence(False, 4)
    assert not device().online


def test_late_will_of_an_older_session_is_ignored(presence, device):
    presence(True, 4)
    presence(True, 5)
    presence(False, 4)
    assert device().online
    presence(False, 5)
    assert not device().online


def test_retained_offline_presence_is_no_sign_of_life(presence, device):
    presence(False, 4, retained=True)
    assert device().last_seen is None


def test_device_made_anew_counts_its_sessions_from_the_start(presence, device):
    presence(True, 40)
    presence(True, 1)
    presence(False, 1)
    assert not device().online


def test_live_records_show_that_a_device_is_online(presence, send, device):
    presence(False, 4)
    send(1)
    assert device().online


def report(generation, update):
    told = samples.report()
    return encode({**told, "generation": generation, "update": {**told["update"], **update}})


@pytest.fixture
def outcome(database):
    with database.write() as session:
        for generation in (1, 2):
            content = deployments.empty("home", "pi").replace(generation=generation)
            generations.add(session, session.get_one(DeviceRow, "pi"), content, "test", by="")

    def get(generation):
        with database.read() as session:
            return session.get(DeploymentRow, ("pi", generation)).outcome

    return get


def test_outcomes_come_from_reports_and_from_update_records(ingest, send, outcome):
    ingest.receive(Message.of("lamplight/1/home/d/pi/reported", report(1, {"generation": 2, "state": "TRIAL"}), False))
    assert (outcome(1), outcome(2)) == ("COMMITTED", "")
    died = {"seq": 1, "time": 0, "kind": "update", "generation": 2, "state": "REVERTED", "reason": "it died"}
    ingest.receive(Message.of("lamplight/1/home/d/pi/up/events", Batch(BOOT, [died]).encode(), False))
    assert outcome(2) == "REVERTED"


def test_news_of_an_earlier_try_does_not_undo_a_commit(ingest, outcome):
    ingest.receive(
        Message.of("lamplight/1/home/d/pi/reported", report(2, {"generation": 2, "state": "COMMITTED"}), False)
    )
    ingest.receive(
        Message.of("lamplight/1/home/d/pi/reported", report(1, {"generation": 2, "state": "REJECTED"}), True)
    )
    assert outcome(2) == "COMMITTED"


def test_what_a_device_says_of_the_time_is_passed_on_unless_the_broker_had_kept_it(ingest, send, heard):
    said = b'{"online": true, "session": 7, "time": 1000.5}'
    ingest.receive(Message.of(topics.of_device("home", "pi", "presence"), said, True))
    assert heard == []
    ingest.receive(Message.of(topics.of_device("home", "pi", "presence"), said, False))
    send(1, time=2000.5)
    assert heard == [("pi", 1000.5, False), ("pi", 2000.5, True)]


def test_the_presence_of_an_agent_before_0_2_0_says_nothing_of_the_time(ingest, heard):
    ingest.receive(Message.of(topics.of_device("home", "pi", "presence"), b'{"online": true, "session": 7}', False))
    assert heard == []


def of_board(hardware, session=7):
    return Presence(True, session, 1000.0, hardware).encode()


def test_of_a_copied_card_nothing_is_taken_in_and_its_records_stay_with_it(ingest, send, stored, link):
    topic = topics.of_device("home", "pi", "presence")
    ingest.receive(Message.of(topic, of_board("1000/aa"), False))
    send(1)
    acknowledged = len(link.sent)
    ingest.receive(Message.of(topic, of_board("2000/bb", 8), False))
    send(2, 3, boot="13-ffffffff")
    # Not acknowledged: the copy keeps them, to send them under a name of its own.
    assert (len(stored()), len(link.sent)) == (1, acknowledged)
    ingest.receive(Message.of(topic, of_board("1000/aa", 9), False))
    send(2)
    assert [(each["boot"], each["seq"]) for each in stored()] == [(BOOT, 1), (BOOT, 2)]


def test_an_agent_before_0_2_0_names_no_board_and_is_heard(ingest, send, stored):
    ingest.receive(Message.of(topics.of_device("home", "pi", "presence"), b'{"online": true, "session": 7}', False))
    send(1)
    assert len(stored()) == 1
