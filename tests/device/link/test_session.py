"""The MQTT session against a real mosquitto: presence, handlers, a broker that goes and comes, a liar."""

import contextlib
import json
import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from cloud_shim.cli.up import ports
from device.config import BrokerConfig
from device.enrol.passwords import Passwords
from device.link.session import Session
from device.protocol import enrolment, topics
from tests.support import until


class Mosquitto:
    """A broker on one port that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.port = ports.free()
        self.config = folder / "mosquitto.conf"
        self.config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["mosquitto", "-c", str(self.config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self.answers, "mosquitto listens")

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
def session(broker: Mosquitto, tmp_path: Path) -> Iterator[Session]:
    password = tmp_path / "password"
    password.write_text("secret\n")
    made = Session(
        BrokerConfig("127.0.0.1", broker.port, "desk-pi", password),
        "home",
        "desk-pi",
        boots=7,
        login=Passwords(password),
    )
    yield made
    made.stop()


class Cloud:
    """The other side: sees what is published, can publish."""

    def __init__(self, port: int) -> None:
        self.seen: dict[str, list[bytes]] = {}
        self.subscribed = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _c, _u, m: self.seen.setdefault(m.topic, []).append(bytes(m.payload))
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("#", 1)
        self.client.loop_start()
        assert self.subscribed.wait(30)

    def last(self, topic: str) -> dict[str, object]:
        return json.loads(self.seen[topic][-1]) if topic in self.seen else {}

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def cloud(broker: Mosquitto) -> Iterator[Cloud]:
    made = Cloud(broker.port)
    yield made
    made.close()


PRESENCE = topics.of_device("home", "desk-pi", "presence")
DESIRED = topics.of_device("home", "desk-pi", "desired")


def test_presence_is_told_and_taken_back(session: Session, cloud: Cloud) -> None:
    session.start()
    until(lambda: cloud.last(PRESENCE).get("online") is True, "online")
    first = cloud.last(PRESENCE)["session"]
    assert isinstance(first, int)
    assert first // 1_000_000 == 7
    session.stop()
    until(lambda: cloud.last(PRESENCE) == {"online": False, "session": first}, "offline")


def test_messages_reach_the_handler_of_their_kind(session: Session, cloud: Cloud) -> None:
    got: list[bytes] = []
    session.on("desired", lambda _topic, payload: got.append(payload))
    session.start()
    until(lambda: session.connected, "connected")
    cloud.client.publish(DESIRED, b"one", qos=1)
    until(lambda: got == [b"one"], "delivered")


def test_what_the_broker_had_kept_is_no_event(session: Session, cloud: Cloud, broker: Mosquitto) -> None:
    got: list[tuple[str, bytes]] = []
    for kind in ("topic", "call", "desired"):
        session.on(kind, lambda topic, payload: got.append((topic.kind, payload)))
    shared, call = topics.shared("home", "rooms/hall"), str(topics.Topic("home", "call", "desk-pi", "night-light"))
    for topic in (shared, call, DESIRED):
        cloud.client.publish(topic, b"kept", qos=1, retain=True).wait_for_publish(30)
    session.on_connected(lambda: session.subscribe_shared(["rooms/hall"], lambda *_: None))
    session.start()
    until(lambda: ("desired", b"kept") in got, "a document that was kept is taken")
    for topic in (shared, call):
        cloud.client.publish(topic, b"now", qos=1, retain=True).wait_for_publish(30)
    until(lambda: {("topic", b"now"), ("call", b"now")} <= set(got), "what happens now is an event")
    assert ("topic", b"kept") not in got
    assert ("call", b"kept") not in got


def test_what_another_thread_publishes_waits_for_nothing(
    session: Session, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing comes from the broker, and the loop never looks by itself: what leaves was woken for.
    wait = select.select
    monkeypatch.setattr(select, "select", lambda r, w, x, timeout: wait(r, w, x, None if timeout else 0))
    session.start()
    until(lambda: session.connected, "connected")
    until(lambda: cloud.last(PRESENCE).get("online") is True, "its presence is acknowledged")
    topic = topics.up("home", "desk-pi", "logs")
    for each in (b"%d" % number for number in range(20)):
        assert session.publish(topic, each)
        until(partial(lambda sent: cloud.seen.get(topic, [b""])[-1] == sent, each), "it arrived")


def test_a_broker_that_dies_and_returns_is_found_again(session: Session, broker: Mosquitto) -> None:
    connections: list[bool] = []
    session.on_connected(lambda: connections.append(True))
    session.start()
    until(lambda: len(connections) == 1, "connected")
    broker.kill()
    until(lambda: not session.connected, "noticed the loss")
    assert session.publish(topics.up("home", "desk-pi", "logs"), b"{}") is False
    broker.start()
    until(lambda: len(connections) == 2, "connected again")


def test_it_starts_and_stops_with_no_broker_there(session: Session, broker: Mosquitto) -> None:
    broker.kill()
    session.start()
    assert session.publish(PRESENCE, b"{}") is False


def test_a_handler_that_refuses_a_message_does_not_end_the_session(session: Session, cloud: Cloud) -> None:
    from device.protocol import messages

    got: list[str] = []
    session.on("ack", lambda _topic, payload: got.append(messages.ack(payload).boot))
    session.start()
    until(lambda: session.connected, "connected")
    ack = topics.of_device("home", "desk-pi", "ack")
    for lie in (b"", b"\xff\xfe", b"[]", b"{" * 5000, b'{"stream": 1}', b'{"stream":"logs","boot":"b","seq":-1}'):
        cloud.client.publish(ack, lie, qos=1)
    cloud.client.publish(ack, messages.Ack("logs", "good", 1).encode(), qos=1)
    until(lambda: got == ["good"], "the good one after the bad")


def test_chunks_come_only_when_subscribed_to(session: Session, cloud: Cloud) -> None:
    got: list[str] = []
    session.on("chunk", lambda topic, _payload: got.append(topic.leaf))
    session.start()
    until(lambda: session.connected, "connected")
    for digit in "ab":
        cloud.client.publish(topics.chunk("home", digit * 64), b"chunk", qos=1, retain=True).wait_for_publish(30)
    session.subscribe_chunks(["b" * 64])
    until(lambda: got == ["b" * 64], "the one chunk")


def test_hosted_brokers_take_eight_subscriptions_in_a_packet(session: Session, cloud: Cloud) -> None:
    sent: list[int] = []
    session.start()
    until(lambda: session.connected, "connected")
    client = session._client
    for name in ("subscribe", "unsubscribe"):
        real = getattr(client, name)
        setattr(client, name, lambda some, real=real: (sent.append(len(some)), real(some)))
    got: set[str] = set()
    session.on("chunk", lambda topic, _payload: got.add(topic.leaf))
    digests = [f"{number:064x}" for number in range(17)]
    session.subscribe_chunks(digests)
    for digest in digests:
        cloud.client.publish(topics.chunk("home", digest), b"chunk", qos=1, retain=True).wait_for_publish(30)
    until(lambda: got == set(digests), "every chunk")
    session.unsubscribe_chunks(digests)
    assert sent == [8, 8, 1] * 2


def test_a_handler_that_fails_does_not_end_the_session(session: Session, cloud: Cloud) -> None:
    got: list[bytes] = []

    def handle(_topic: object, payload: bytes) -> None:
        if payload == b"bad":
            raise RuntimeError("database or disk is full")
        got.append(payload)

    session.on("desired", handle)
    session.start()
    until(lambda: session.connected, "connected")
    cloud.client.publish(DESIRED, b"bad", qos=1)
    cloud.client.publish(DESIRED, b"good", qos=1)
    until(lambda: got == [b"good"], "the good one after the bad")


def test_messages_of_two_boards_functions_meet(broker: Mosquitto, session: Session, tmp_path: Path) -> None:
    other = Session(
        BrokerConfig("127.0.0.1", broker.port, "hall-pi", tmp_path / "password"),
        "home",
        "hall-pi",
        boots=1,
        login=Passwords(tmp_path / "password"),
    )
    got: list[tuple[str, bytes]] = []
    other.on("topic", lambda topic, payload: got.append((topic.leaf, payload)))
    try:
        session.start()
        other.start()
        until(lambda: session.connected and other.connected, "both are connected")
        other.subscribe_shared(["light/#"], lambda *_: None)

        def sent() -> bool:
            session.publish(topics.shared("home", "light/desk"), b"dark", qos=1)
            return bool(got)

        until(sent, "the message has come")
        assert got[0] == ("light/desk", b"dark")
    finally:
        other.stop()


def test_whether_the_broker_grants_a_topic_is_told(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.start()
    until(lambda: session.connected, "it is connected")
    told: dict[str, bool] = {}
    session.subscribe_shared(["light/#"], told.__setitem__)
    until(lambda: told == {"light/#": True}, "it is granted")
    # mosquitto grants what its rules deny, and sends nothing; other brokers say 0x80.
    monkeypatch.setattr(session._client, "subscribe", lambda topics: (mqtt.MQTT_ERR_SUCCESS, 70_000))
    session.subscribe_shared(["secret/door", "hall"], told.__setitem__)
    answers = [ReasonCode(PacketTypes.SUBACK, identifier=code) for code in (0x80, 1)]
    session._when_subscribed(session._client, None, 70_000, answers, None)
    assert told == {"light/#": True, "secret/door": False, "hall": True}


def connect_as(broker: Mosquitto, name: str) -> None:
    """Connects and leaves, under that client id."""
    stranger = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
    stranger.connect("127.0.0.1", broker.port)
    stranger.loop_start()
    until(stranger.is_connected, f"a stranger is connected as {name}")
    stranger.disconnect()
    stranger.loop_stop()


def test_a_stranger_under_the_devices_name_does_not_end_its_connection(
    session: Session, broker: Mosquitto, cloud: Cloud
) -> None:
    session.start()
    until(lambda: cloud.last(PRESENCE).get("online") is True, "online")
    first = cloud.last(PRESENCE)
    for name in ("lamplight-home-desk-pi", "lamplight-home-desk-pi-0000000000000000"):
        connect_as(broker, name)
    assert session.publish(topics.of_device("home", "desk-pi", "reported"), b'{"still": "here"}', 1)
    until(lambda: cloud.last(topics.of_device("home", "desk-pi", "reported")), "the report arrives")
    assert cloud.last(PRESENCE) == first


def test_a_new_password_is_another_name_on_the_broker(
    session: Session, broker: Mosquitto, cloud: Cloud, tmp_path: Path
) -> None:
    session.start()
    until(lambda: cloud.last(PRESENCE).get("online") is True, "online")
    first = cloud.last(PRESENCE)["session"]
    (tmp_path / "password").write_text("another\n")
    connect_as(broker, enrolment.login_id("lamplight-home-desk-pi", "secret"))
    until(lambda: cloud.last(PRESENCE).get("session", 0) > first and session.connected, "it comes back")
    second = cloud.last(PRESENCE)
    connect_as(broker, enrolment.login_id("lamplight-home-desk-pi", "secret"))
    assert session.publish(topics.of_device("home", "desk-pi", "reported"), b'{"still": "here"}', 1)
    until(lambda: cloud.last(topics.of_device("home", "desk-pi", "reported")), "the report arrives")
    assert cloud.last(PRESENCE) == second
