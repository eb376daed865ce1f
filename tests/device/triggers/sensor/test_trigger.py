"""The sensor hub: everybody at his own period, failures survived."""

import threading
import time
from dataclasses import dataclass

import pytest

from device.protocol.triggers import SensorTrigger
from device.triggers.sensor.trigger import SensorHub


@dataclass
class Reading:
    lux: float
    saturated: bool = False


class FakeSensor:
    """Counts up at each reading; `broken` makes it fail."""

    def __init__(self):
        self.count = 0
        self.opened = 0
        self.closed = 0
        self.broken = None
        self.retried = threading.Event()

    def open(self, name):
        self.opened += 1
        self.retried.set()
        return self

    def read(self):
        if self.broken:
            raise self.broken
        self.count += 1
        return Reading(float(self.count))

    def close(self):
        self.closed += 1


class Got:
    def __init__(self):
        self.records = []
        self.events = []
        self.changed = threading.Condition()

    def emit(self, stream, kind, fields):
        with self.changed:
            self.records.append((stream, kind, fields))
            self.changed.notify_all()

    def deliver(self, source, type, data, subject=""):
        with self.changed:
            self.events.append(data)
            self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, 30)

    def kind(self, kind):
        return [fields for _, k, fields in self.records if k == kind]


@pytest.fixture
def sensor():
    return FakeSensor()


@pytest.fixture
def got():
    return Got()


@pytest.fixture
def hub(sensor, got):
    hub = SensorHub(sensor.open, ["light"], got.emit)
    yield hub
    hub.close()


def test_readings_become_telemetry_even_when_no_function_wants_them(hub, got):
    got.wait(lambda: got.kind("reading"))
    assert got.kind("reading")[0] == {"sensor": "light", "lux": 1.0, "saturated": False}
    assert got.kind("sensor") == []


def test_a_window_is_delivered_once_it_is_full_and_then_slides(hub, got):
    hub.trigger(SensorTrigger("light", 0.02, 3), got.deliver)
    got.wait(lambda: len(got.events) >= 3)
    first, second = got.events[:2]
    assert len(first["window"]) == 3
    assert first["window"][1:] == second["window"][:2]
    assert first["lux"] == first["window"][-1]


def test_two_functions_with_one_period_share_each_reading(hub, got):
    other = Got()
    hub.trigger(SensorTrigger("light", 0.05, 1), got.deliver)
    hub.trigger(SensorTrigger("light", 0.05, 1), other.deliver)
    got.wait(lambda: len(got.events) >= 5)
    other.wait(lambda: len(other.events) >= 5)
    # One may have been there for a reading or two before the other was.
    assert len({e["lux"] for e in got.events} & {e["lux"] for e in other.events}) >= 3


def test_each_function_is_served_at_its_own_period(hub, got):
    slow = Got()
    hub.trigger(SensorTrigger("light", 0.02, 1), got.deliver)
    hub.trigger(SensorTrigger("light", 0.2, 1), slow.deliver)
    slow.wait(lambda: len(slow.events) >= 3)
    assert len(got.events) > len(slow.events)


def test_telemetry_is_at_most_five_a_second_however_fast_a_function_reads(hub, got):
    started = time.monotonic()
    hub.trigger(SensorTrigger("light", 0.01, 1), got.deliver)
    got.wait(lambda: len(got.kind("reading")) >= 3)
    assert len(got.kind("reading")) <= (time.monotonic() - started) * 5 + 2


def test_a_failing_sensor_is_told_once_delivers_nothing_and_recovers(hub, sensor, got):
    hub.trigger(SensorTrigger("light", 0.01, 2), got.deliver)
    got.wait(lambda: got.events)
    sensor.broken = OSError(121, "Remote I/O error")
    got.wait(lambda: got.kind("sensor"))
    assert not hub.health()["light"].ok
    assert "Remote I/O" in hub.health()["light"].error
    last, tries = sensor.count, sensor.opened
    while sensor.opened < tries + 3:
        assert sensor.retried.wait(30)
        sensor.retried.clear()
    delivered = len(got.events)
    sensor.broken = None
    got.wait(lambda: len(got.events) > delivered)
    # The window does not reach back over the gap.
    assert min(got.events[delivered]["window"]) > last
    assert [s["ok"] for s in got.kind("sensor")] == [False, True]
    assert sensor.closed >= 1


@pytest.mark.parametrize("error", [ValueError("bad"), MemoryError(), RuntimeError()])
def test_whatever_a_driver_raises_does_not_end_the_reader(hub, sensor, got, error):
    sensor.broken = error
    got.wait(lambda: got.kind("sensor"))
    sensor.broken = None
    hub.trigger(SensorTrigger("light", 0.01, 1), got.deliver)
    got.wait(lambda: got.events)


def test_a_closed_trigger_delivers_no_more(hub, got):
    trigger = hub.trigger(SensorTrigger("light", 0.01, 1), got.deliver)
    got.wait(lambda: got.events)
    trigger.close()
    other = Got()
    hub.trigger(SensorTrigger("light", 0.01, 1), other.deliver)
    other.wait(lambda: len(other.events) >= 2)
    count = len(got.events)
    other.wait(lambda: len(other.events) >= 5)
    assert len(got.events) == count


def test_a_sensor_is_given_up_once_for_each_time_that_it_is_gone_for_long(hub, sensor, got, monkeypatch):
    lost, told = [], threading.Event()
    hub.on_lost = lambda name: (lost.append(name), told.set())
    monkeypatch.setattr("device.triggers.sensor.trigger.LOST", 0.1)
    hub.trigger(SensorTrigger("light", 0.01, 1), got.deliver)
    for outage in (1, 2):
        sensor.broken = OSError(121, "Remote I/O error")
        assert told.wait(30)
        tries = sensor.opened
        while sensor.opened < tries + 3:
            assert sensor.retried.wait(30)
            sensor.retried.clear()
        assert lost == ["light"] * outage
        seen, sensor.broken = len(got.events), None
        told.clear()
        got.wait(lambda seen=seen: len(got.events) > seen)
