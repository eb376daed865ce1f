"""The queue: bounded, in order, wakes its takers, and lends those that are idle."""

import threading
import time

import pytest
from runtime_bench import until

from device.errors import OfflineError
from device.event import Event
from device.runtime.queue.event_queue import EventQueue
from device.runtime.queue.overflow import Waiting
from device.runtime.queue.reply import Reply


def waiting(n, source="s", type="t", data=None, reply=None):
    return Waiting.of(Event(str(n), source, type, 0.0, data), reply)


class Instance:
    def __init__(self):
        self.nudges = 0

    def nudge(self):
        self.nudges += 1


def queue(overflow="drop-oldest", room=3):
    return EventQueue(room, overflow)


def left(queue):
    return [each.event.id for each in queue.close()]


def test_a_full_queue_drops_the_oldest_and_says_which():
    full = queue()
    dropped = [full.offer(waiting(n)) for n in range(5)]
    assert [d and d.event.id for d in dropped] == [None, None, None, "0", "1"]
    assert full.dropped == 2
    assert left(full) == ["2", "3", "4"]


def test_a_full_queue_drops_the_newest_where_the_manifest_says_so():
    full = queue("drop-newest")
    dropped = [full.offer(waiting(n)) for n in range(5)]
    assert [d and d.event.id for d in dropped] == [None, None, None, "3", "4"]
    assert full.dropped == 2
    assert left(full) == ["0", "1", "2"]


def test_blocked_ticks_are_counted_in_the_one_that_waits():
    full = queue("block")
    for n in range(3):
        full.offer(waiting(n, "timer", "lamplight.timer.tick", {"missed": 0}))
    for n in range(3, 6):
        full.offer(waiting(n, "timer", "lamplight.timer.tick", {"missed": n - 3}))
    taken = [full.take(Instance()) for _ in range(3)]
    assert [each.event.id for each in taken] == ["0", "1", "5"]
    # Three ticks joined the one that waited: itself, one that had missed one, one that had missed two.
    assert taken[-1].event.data == {"missed": 3 + 0 + 1 + 2}
    assert b'"missed":6' in taken[-1].packet


def test_of_blocked_readings_the_newest_stays_in_the_place_of_its_own_sensor_only():
    full = queue("block")
    for n, sensor in enumerate(["light", "heat", "light"]):
        full.offer(waiting(n, f"sensor/{sensor}", "lamplight.sensor.reading", {"lux": n}))
    gone = full.offer(waiting(3, "sensor/heat", "lamplight.sensor.reading", {"lux": 3}))
    assert gone.event.id == "1"
    assert left(full) == ["0", "3", "2"]


def test_a_blocked_event_with_none_of_its_own_to_join_is_dropped_and_never_joins_a_call():
    full = queue("block")
    for n in range(3):
        full.offer(waiting(n, "call", reply=Reply()))
    assert full.offer(waiting(3, "call")).event.id == "3"
    assert left(full) == ["0", "1", "2"]


def test_a_blocked_call_waits_for_room():
    full = queue("block", room=1)
    full.offer(waiting(0, "call", reply=Reply()))
    gone = []
    patient = waiting(1, "call", reply=Reply())
    thread = threading.Thread(target=lambda: gone.append(full.offer_patiently(patient, time.monotonic() + 60)))
    thread.start()
    assert full.take(Instance()).event.id == "0"
    thread.join()
    assert gone == [None]
    assert full.take(Instance()) is patient


def test_a_blocked_call_gives_up_in_time_and_when_the_function_ends():
    full = queue("block", room=1)
    full.offer(waiting(0, "call", reply=Reply()))
    late = waiting(1, "call", reply=Reply())
    assert full.offer_patiently(late, time.monotonic()) is late
    gone = []
    thread = threading.Thread(target=lambda: gone.append(full.offer_patiently(late, time.monotonic() + 60)))
    thread.start()
    full.close()
    thread.join()
    assert gone == [late]


def test_an_offer_wakes_one_of_those_that_found_nothing():
    idle = queue()
    instances = [Instance(), Instance()]
    for each in instances:
        assert idle.take(each) is None
    idle.offer(waiting(1))
    assert sum(each.nudges for each in instances) == 1
    idle.offer(waiting(2))
    assert [each.nudges for each in instances] == [1, 1]


def test_an_idle_instance_is_lent_once_and_only_while_nothing_waits():
    idle = queue()
    one = Instance()
    assert idle.borrow() is None
    idle.take(one)
    assert idle.borrow() is one
    assert idle.borrow() is None
    idle.give_back(one)
    idle.offer(waiting(1))
    assert idle.borrow() is None


def test_an_event_that_came_while_the_instance_was_lent_wakes_it_when_it_is_back():
    idle = queue()
    one = Instance()
    idle.take(one)
    idle.borrow()
    idle.offer(waiting(1))
    assert one.nudges == 0
    idle.give_back(one)
    assert one.nudges == 1


def test_an_instance_that_recalls_itself_waits_for_its_borrower():
    idle = queue()
    one = Instance()
    idle.take(one)
    idle.borrow()
    back = []
    thread = threading.Thread(target=lambda: back.append(idle.recall(one)))
    thread.start()
    assert not back
    idle.give_back(one)
    until(lambda: back)
    thread.join()
    assert idle.borrow() is None


def test_what_a_nudged_instance_cannot_take_is_passed_on():
    idle = queue()
    instances = [Instance(), Instance()]
    for each in instances:
        idle.take(each)
    idle.offer(waiting(1))
    (broken,) = [each for each in instances if each.nudges]
    idle.recall(broken)
    idle.pass_on()
    assert [each.nudges for each in instances] == [1, 1]


def test_a_closed_queue_gives_back_what_waits_and_takes_no_more():
    closing = queue()
    closing.offer(waiting(1))
    assert left(closing) == ["1"]
    late = waiting(2)
    assert closing.offer(late) is late


def test_failing_twice_keeps_the_first_reason():
    each = waiting(1, reply=Reply())
    each.fail(OfflineError("first"))
    each.fail(OfflineError("second"))
    with pytest.raises(OfflineError, match="first"):
        each.reply.wait(0)
