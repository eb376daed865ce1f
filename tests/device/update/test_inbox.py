"""The inbox never blocks a writer and never grows without bound."""

import threading

import pytest

from device.protocol.chunks import CHUNK_SIZE, digest
from device.trust.rules import MAX_DESIRED
from device.update.inbox import LIMIT, Chunk, Connected, Desired, Inbox, Stop


def drained(inbox):
    taken = []
    while (message := inbox.take(0)) is not None:
        taken.append(message)
    return taken


def test_the_newest_desired_state_comes_before_chunks():
    inbox = Inbox()
    for message in (Chunk("a", b""), Connected(), Desired(b"old"), Connected(), Desired(b"new"), Chunk("b", b"")):
        inbox.put(message)
    assert drained(inbox) == [Desired(b"new"), Connected(), Chunk("a", b""), Chunk("b", b"")]


def test_a_flood_of_chunks_is_cut_off():
    inbox = Inbox()
    for number in range(10 * LIMIT):
        inbox.put(Chunk(str(number), b""))
    assert drained(inbox) == [Chunk(str(number), b"") for number in range(LIMIT)]


def test_a_flood_of_endless_messages_takes_no_more_memory_than_the_longest_that_are_allowed():
    inbox, endless = Inbox(), bytes(2 * MAX_DESIRED)
    inbox.put(Desired(endless))
    for number in range(10 * LIMIT):
        inbox.put(Chunk(str(number), endless))
    desired, *waiting = [len(message.payload) for message in drained(inbox)]
    assert (desired, waiting) == (MAX_DESIRED + 1, [CHUNK_SIZE + 1] * LIMIT)


def test_stop_comes_before_everything_and_stays():
    inbox = Inbox()
    inbox.put(Desired(b""))
    inbox.put(Stop())
    assert inbox.take(0) == inbox.take(0) == Stop()


@pytest.mark.parametrize(
    "message", [Connected(), Desired(b""), Chunk("a", b""), Stop()], ids=lambda each: type(each).__name__
)
def test_a_waiting_reader_is_woken(message):
    inbox = Inbox()
    taken = []
    reader = threading.Thread(target=lambda: taken.append(inbox.take(None)), daemon=True)
    reader.start()
    inbox.put(message)
    reader.join(60)
    assert taken == [message]


def test_a_download_is_interrupted_by_the_end_and_by_another_desired_state():
    inbox = Inbox()
    assert not inbox.interrupts("")
    inbox.put(Connected())
    inbox.put(Chunk("a", b""))
    assert not inbox.interrupts("")
    inbox.put(Desired(b"new"))
    assert inbox.interrupts(digest(b"old"))
    assert not inbox.interrupts(digest(b"new"))
    inbox.put(Stop())
    assert inbox.interrupts(digest(b"new"))


def test_a_chunk_of_the_longest_length_arrives_whole_and_one_too_many_wakes_nobody():
    inbox = Inbox()
    inbox.put(Chunk("a", bytes(CHUNK_SIZE)))
    assert drained(inbox) == [Chunk("a", bytes(CHUNK_SIZE))]
    for _ in range(LIMIT + 1):
        inbox.put(Chunk("a", b""))
    assert len(drained(inbox)) == LIMIT
