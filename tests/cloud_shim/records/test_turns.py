"""Whose message is next while one of them floods."""

import threading

import pytest

from cloud_shim.database import Database
from cloud_shim.records.budget import RATES, STRAY, Rate
from cloud_shim.records.budgets import Budgets
from cloud_shim.records.excesses import Excesses
from cloud_shim.records.turns import Turns
from tests.support import PATIENCE, until


class Shim:
    """Turns whose first message is held in the handler until `go`, so that the others wait."""

    def __init__(self, folder, monkeypatch) -> None:
        monkeypatch.setitem(RATES, "up", Rate(10_000, 10_000_000, 10_000))
        database = Database(f"sqlite:///{folder}/shim.db")
        self.handled = []
        self._gate = threading.Event()
        self.flooded = []
        self.out = set()
        self.turns = Turns(Budgets(Excesses(database), self.flooded.append), self.out.__contains__, self._handle)
        self.turns.start()
        self.send("first", b"held")
        until(lambda: self.handled, "the first message is taken up")

    def send(self, device, payload, kind="up/logs"):
        self.turns.receive(f"lamplight/1/home/d/{device}/{kind}", payload, False)

    def go(self, count):
        """What was handled behind the first one, as (device, payload), once it is so many."""
        self._gate.set()
        until(lambda: len(self.handled) > count, f"{count} messages are handled")
        self.turns.close()
        return self.handled[1:]

    def _handle(self, message):
        self.handled.append((message.topic.device, message.payload))
        if message.payload == b"bad":
            raise RuntimeError("bad")
        assert self._gate.wait(PATIENCE)


@pytest.fixture
def shim(tmp_path, monkeypatch):
    made = Shim(tmp_path, monkeypatch)
    yield made
    made._gate.set()
    made.turns.close()


def test_a_flood_delays_the_others_by_one_message_each_and_takes_no_memory(shim):
    for number in range(5000):
        shim.send("flood", str(number).encode(), f"reply/f{number}")
    shim.send("pi", b"1")
    shim.send("pi", b"2", "up/events")
    shim.send("tv", b"3")
    handled = shim.go(515)
    assert [device for device, _ in handled[:5]] == ["flood", "pi", "tv", "flood", "pi"]
    assert [device for device, _ in handled].count("flood") == 512


def test_of_a_stream_two_batches_wait_and_the_others_come_again(shim):
    for number in range(5):
        shim.send("pi", str(number).encode())
        shim.send("pi", str(number).encode(), "up/events")
    assert shim.go(4) == [("pi", b"0"), ("pi", b"0"), ("pi", b"1"), ("pi", b"1")]


def test_the_newest_of_a_state_is_handled_however_many_come(shim, monkeypatch):
    monkeypatch.setitem(RATES, "reported", Rate(1000, 1000, 1000))
    for number in range(100):
        shim.send("pi", str(number).encode(), "reported")
    shim.send("pi", b"want", "want")
    assert shim.go(2) == [("pi", b"99"), ("pi", b"want")]


def test_a_message_that_cannot_be_handled_ends_nothing(shim):
    shim.send("pi", b"bad")
    shim.send("tv", b"good")
    assert shim.go(2)[-1] == ("tv", b"good")


@pytest.mark.parametrize("topic", ["x", "d/../presence", "d/pi/up/secrets", "d/pi/reported"])
def test_foreign_topics_and_our_own_clearing_are_passed_over(shim, topic):
    shim.turns.receive(f"lamplight/1/home/{topic}", b"" if topic == "d/pi/reported" else b"{}", False)
    shim.send("tv", b"good")
    assert shim.go(1) == [("tv", b"good")]


def test_a_flood_is_left_unread_and_the_others_are_all_handled(shim, monkeypatch):
    monkeypatch.setitem(RATES, "up", Rate(10, 100_000, 10))
    shim._gate.set()
    for number in range(30):
        shim.send("flood", b"A" * 30_000)
        shim.send("pi", str(number).encode(), "reported")
        until(lambda: not shim.turns._waiting, "all is served")
    handled = shim.go(33)
    assert [device for device, _ in handled].count("flood") == 3
    assert [payload for device, payload in handled if device == "pi"] == [str(n).encode() for n in range(30)]


def test_a_state_put_off_is_handled_when_its_time_has_come_though_nothing_else_comes(shim, monkeypatch):
    monkeypatch.setitem(RATES, "reported", Rate(600, 1_000_000, 600))
    for number in range(610):
        shim.send("pi", str(number).encode(), "reported")
    assert shim.go(2)[-1] == ("pi", b"609")


def test_of_a_credential_kept_out_nothing_is_handled_that_waits_or_comes(shim):
    shim.send("flood", b"1")
    shim.send("pi", b"2")
    shim.out.add("flood")
    shim.send("flood", b"3", "up/events")
    shim.send("pi", b"4", "up/events")
    assert shim.go(2) == [("pi", b"2"), ("pi", b"4")]


def test_a_flood_on_topics_unknown_to_the_protocol_is_one_too(shim):
    for number in range(STRAY.messages + 1):
        shim.send("tv", b"x", f"reply/NO_NAME_{number}")
    assert shim.flooded == ["tv"]
