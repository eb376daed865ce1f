"""The shim's session with a real mosquitto: found again after it was away, and closed at any moment."""

import threading
from collections.abc import Iterator

import pytest

from cloud_shim.broker import setup as broker
from cloud_shim.broker.session import Link
from cloud_shim.cli.up import ports
from device.errors import OfflineError
from device.link import pump
from device.protocol import topics
from tests.cloud_shim.conftest import FLEET, PATIENCE

REPORTED = topics.of_device(FLEET, "pi", "reported")


class Seen:
    """What the session told its receivers."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.connections: list[bool] = []
        self.losses = 0

    def start(self, link: Link) -> None:
        link.start(lambda _topic, payload, _old: self.messages.append(payload), self.connections.append, self.lost)

    def lost(self) -> None:
        self.losses += 1


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def link(mosquitto) -> Iterator[Link]:
    made = Link("127.0.0.1", mosquitto.port, FLEET, broker.shim_password(mosquitto.state))
    yield made
    made.close()


def closes(link: Link) -> bool:
    """Whether `close` returns although nobody else moves."""
    closing = threading.Thread(target=link.close, daemon=True)
    closing.start()
    closing.join(PATIENCE)
    return not closing.is_alive()


def test_a_broker_that_was_away_is_found_again_and_still_knows_the_session(
    link, seen, mosquitto, connect, admit, until
):
    passwords = admit(mosquitto, "pi")
    seen.start(link)
    until(lambda: seen.connections == [False], "connected")
    mosquitto.stop()
    until(lambda: seen.losses == 1, "the loss is told")
    assert not link.connected
    with pytest.raises(OfflineError):
        link.send(REPORTED, b"lost")
    mosquitto.start()
    until(lambda: seen.connections == [False, True], "connected again")
    connect(mosquitto.port, "pi", passwords["pi"]).publish(REPORTED, b"{}")
    until(lambda: seen.messages == [b"{}"], "a message after it")


def test_it_closes_while_it_waits_for_a_broker(monkeypatch, seen, until):
    waits: list[int] = []
    # Nobody sits through the pause: it is an hour.
    monkeypatch.setattr(pump, "retry_delay", lambda failures, cap: waits.append(failures) or 3600.0)
    link = Link("127.0.0.1", ports.free(), FLEET, "secret")
    seen.start(link)
    until(lambda: waits == [1], "the first attempt has failed")
    assert closes(link)


def test_it_closes_while_it_connects(link, seen, monkeypatch):
    begun = threading.Event()
    connect = link._client.connect

    def slowly(*where: object) -> object:
        begun.set()
        assert link._closing.wait(PATIENCE)
        return connect(*where)

    monkeypatch.setattr(link._client, "connect", slowly)
    seen.start(link)
    assert begun.wait(PATIENCE)
    assert closes(link)
    assert seen.connections == []


def test_it_closes_when_connected_and_when_never_started(link, seen, until):
    seen.start(link)
    until(lambda: link.connected, "connected")
    assert closes(link)
    assert closes(Link("127.0.0.1", ports.free(), FLEET, "secret"))
