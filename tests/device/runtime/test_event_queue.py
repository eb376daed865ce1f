"""The queue: bounded, in order, and wakes its taker."""

import select

import pytest

from device.errors import OfflineError
from device.event import Event
from device.runtime.event_queue import EventQueue, Waiting


def waiting(n):
    return Waiting(Event(str(n), "s", "t", 0.0, n))


@pytest.fixture
def queue():
    return EventQueue(3)


def awake(queue):
    return bool(select.select([queue], [], [], 0)[0])


def test_a_full_queue_drops_the_oldest_and_says_which(queue):
    dropped = [queue.offer(waiting(n)) for n in range(5)]
    assert [d and d.event.id for d in dropped] == [None, None, None, "0", "1"]
    assert [queue.take().event.id for _ in range(3)] == ["2", "3", "4"]
    assert queue.dropped == 2


def test_an_offer_wakes_a_taker_that_found_nothing(queue):
    queue.offer(waiting(1))
    assert not awake(queue)
    queue.take()
    assert queue.take() is None
    queue.offer(waiting(2))
    assert awake(queue)
    queue.calm()
    assert not awake(queue)


def test_more_nudges_than_the_pipe_holds_do_not_hold_anybody_up(queue):
    for _ in range(100_000):
        queue.nudge()
    assert awake(queue)


def test_a_closed_queue_gives_back_what_waits_and_takes_no_more(queue):
    queue.offer(waiting(1))
    assert [each.event.id for each in queue.close()] == ["1"]
    late = waiting(2)
    assert queue.offer(late) is late
    queue.nudge()


def test_failing_twice_keeps_the_first_reason():
    from concurrent.futures import Future

    each = Waiting(Event("1", "s", "t", 0.0, None), Future())
    each.fail(OfflineError("first"))
    each.fail(OfflineError("second"))
    assert str(each.reply.exception()) == "first"
