"""The sender: one batch in flight per stream, again until acknowledged, nothing lost or out of order."""

import sqlite3
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.link.record_file import Row
from device.link.uplink import LONG, RESEND_AFTER, Uplink
from device.protocol import messages
from device.protocol.messages import Ack
from tests.support import until


class Memory:
    """An outbox in memory, with the order of what was acknowledged."""

    def __init__(self, count: int) -> None:
        self.rows = [Row("logs", "1-a", n, f'{{"seq":{n},"time":1.0,"kind":"log"}}') for n in range(1, count + 1)]

    def next_batch(self, stream: str) -> list[Row]:
        return self.rows[:3] if stream == "logs" else []

    def acknowledge(self, stream: str, boot: str, seq: int) -> bool:
        if seq not in [row.seq for row in self.rows]:
            return False
        self.rows = [row for row in self.rows if row.seq > seq]
        return True


class Shim:
    """Receives batches, may lose some, and acknowledges what it got."""

    def __init__(self, lose: list[bool]) -> None:
        self.lose = lose
        self.seen: list[int] = []
        self.uplink: Uplink | None = None
        self.done = threading.Event()

    def send(self, stream: str, payload: bytes) -> bool:
        batch = messages.batch(payload)
        if self.lose and self.lose.pop(0):
            return True
        for record in batch.records:
            if record["seq"] not in self.seen:
                self.seen.append(int(str(record["seq"])))
        assert self.uplink is not None
        self.uplink.acknowledged(Ack(stream, batch.boot, self.seen[-1]))
        return True


class Clock:
    """Jumps beyond the resend time at every look, so that no test waits for it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += RESEND_AFTER + 1
        return self.now


@pytest.fixture
def shim() -> Iterator[Shim]:
    yield Shim([])


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 20))
def test_everything_arrives_once_in_order_however_many_batches_are_lost(lose: list[bool], count: int) -> None:
    outbox, shim = Memory(count), Shim(lose)
    uplink = Uplink(outbox, shim.send, Clock())
    shim.uplink = uplink
    while outbox.rows:
        uplink._send_next("logs")  # pyright: ignore[reportPrivateUsage]
    assert shim.seen == list(range(1, count + 1))


def test_a_batch_is_not_sent_twice_while_it_is_in_flight() -> None:
    sent: list[bytes] = []
    uplink = Uplink(Memory(2), lambda _stream, payload: sent.append(payload) is None, clock=lambda: 0.0)
    for _ in range(5):
        uplink._send_next("logs")  # pyright: ignore[reportPrivateUsage]
    assert len(sent) == 1


def test_a_new_connection_sends_again_at_once() -> None:
    sent: list[bytes] = []
    uplink = Uplink(Memory(2), lambda _stream, payload: sent.append(payload) is None, clock=lambda: 0.0)
    uplink._send_next("logs")  # pyright: ignore[reportPrivateUsage]
    uplink.connected()
    uplink._send_next("logs")  # pyright: ignore[reportPrivateUsage]
    assert sent[0] == sent[1]


def test_nothing_is_in_flight_when_it_could_not_be_sent() -> None:
    attempts: list[bool] = []

    def offline(_stream: str, _payload: bytes) -> bool:
        attempts.append(True)
        return False

    uplink = Uplink(Memory(1), offline, clock=lambda: 0.0)
    uplink._send_next("logs")  # pyright: ignore[reportPrivateUsage]
    uplink._send_next("logs")  # pyright: ignore[reportPrivateUsage]
    assert len(attempts) == 2


def test_the_thread_drains_the_outbox_and_stops() -> None:
    outbox, shim = Memory(9), Shim([])
    uplink = Uplink(outbox, shim.send)
    shim.uplink = uplink
    uplink.start()
    uplink.wake()
    while outbox.rows:
        pass
    uplink.stop()
    assert shim.seen == list(range(1, 10))


def test_an_outbox_that_cannot_be_read_for_a_while_does_not_end_the_sending(caplog: pytest.LogCaptureFixture) -> None:
    memory, failures, told = Memory(3), ["disk I/O error"] * 2, threading.Semaphore(0)

    class Failing:
        acknowledge = memory.acknowledge

        def next_batch(self, stream: str) -> list[Row]:
            if stream == "logs" and failures:
                told.release()
                raise sqlite3.OperationalError(failures.pop())
            return memory.next_batch(stream)

    shim = Shim([])
    shim.uplink = uplink = Uplink(Failing(), shim.send)
    uplink.start()
    for _ in range(2):
        assert told.acquire(timeout=30)
        uplink.wake()
    until(lambda: shim.seen == [1, 2, 3], "everything arrived")
    uplink.stop()
    assert sum("disk I/O error" in record.getMessage() for record in caplog.records) == 1


def test_records_that_come_one_by_one_travel_together() -> None:
    outbox, sent = Memory(0), list[int]()

    def send(_stream: str, payload: bytes) -> bool:
        sent.append(len(messages.batch(payload).records))
        return True

    uplink = Uplink(outbox, send, clock=lambda: 0.0)
    uplink.wake()
    uplink.start()
    outbox.rows = Memory(3).rows
    uplink.wake()
    until(lambda: sent, "they were sent")
    uplink.stop()
    assert sent == [3]


def test_a_long_backlog_does_not_wait_between_its_batches() -> None:
    outbox = Memory(0)
    outbox.rows = [Row("logs", "1-a", n, "x" * LONG) for n in (1, 2)]
    uplink = Uplink(outbox, lambda _stream, _payload: True, clock=lambda: 0.0)
    uplink._send_next("logs")  # pyright: ignore[reportPrivateUsage]
    uplink.acknowledged(Ack("logs", "1-a", 2))
    assert uplink._hurried  # pyright: ignore[reportPrivateUsage]
