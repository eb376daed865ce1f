"""What becomes a record, and what is dropped and counted."""

from pathlib import Path

import pytest

from device.event import Event
from device.generation import InstalledFunction
from device.protocol import manifest
from device.protocol.settings import settings_mark
from device.replay import trace
from device.runtime.journal import Journal
from device.runtime.policy import Policy
from device.runtime.wire.messages import Result

MANIFEST = manifest.function({"name": "f", "handler": "main:handler"})


class Ticking:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Ticking()


@pytest.fixture
def out():
    return []


@pytest.fixture
def sent():
    return []


@pytest.fixture
def journal(clock, out, sent):
    def emit(stream, kind, fields):
        out.append((stream, kind, fields))

    policy = Policy(lines=10, burst=5, messages=20)
    function = InstalledFunction("f", 3, "", Path(), MANIFEST, {"threshold": 100})
    return Journal(emit, lambda *message: sent.append(message), function, policy, clock)


def texts(out):
    return [fields["text"] for _, kind, fields in out if kind == "log"]


def test_lines_beyond_the_burst_are_counted_and_told_once_there_is_room(journal, clock, out):
    journal.lines("info", [str(n) for n in range(8)])
    assert texts(out) == ["0", "1", "2", "3", "4"]
    clock.now = 1.0
    journal.lines("info", ["after"])
    assert texts(out)[5:] == ["3 log lines or messages dropped: too many a second", "after"]


def test_the_count_is_told_before_the_end_of_a_worker(journal, out):
    journal.lines("info", ["x"] * 7)
    journal.worker("crashed", "killed by SIGSEGV")
    assert [kind for _, kind, _ in out][-2:] == ["log", "worker"]
    assert texts(out)[-1].startswith("2 ")


def test_the_fleet_gets_more_messages_than_the_cloud_and_not_without_end(journal, out, sent):
    for number in range(100):
        journal.publish("door", number, 1)
    assert [data for _, _, data, _ in sent] == list(range(40))
    assert len([kind for _, kind, _ in out if kind == "publish"]) == 5
    assert sent[0] == ("f", "door", 0, 1)


def test_a_decision_has_lux_only_when_the_event_has(journal, out):
    journal.decision(Event("f-1", "sensor/light", "t", 0.0, {"lux": 12.5}), 90, Result(None, {"led": True}, 0.2))
    journal.decision(Event("f-2", "timer", "t", 0.0, {"missed": 0}), 90, Result(None, {}, 0.2))
    first, second = (fields for _, _, fields in out)
    assert first["lux"] == 12.5
    assert "lux" not in second


def test_a_large_result_is_not_for_telemetry(journal, out):
    journal.decision(Event("f-1", "s", "t", 0.0, None), 90, Result(["x"] * 1000, {}, 0.2))
    assert out[0][2]["result"] == "(5000 bytes)"


def test_what_an_event_happened_to_is_recorded_for_a_replay(journal, out):
    event = Event("f-1", "/home/desk-pi/1-ab/file/inbox", "lamplight.file.put", 5.0, {"name": "a.txt"}, "a.txt")
    journal.decision(event, 90, Result(None, {}, 0.2))
    [(_, _, record)] = out
    assert trace.step(record).event == event


def test_what_was_given_and_read_is_recorded_for_a_replay(journal, out):
    event = Event("f-1", "sensor/light", "t", 5.0, {"lux": 12.5})
    journal.decision(event, 90, Result(None, {}, 0.2, [["pin", "button", True]]))
    journal.failure(event, 90, "ValueError: no", ())
    decision, failure = (fields for _, _, fields in out)
    mark = settings_mark({"threshold": 100})
    given = {"source": "sensor/light", "time": 5.0, "settings": mark, "data": {"lux": 12.5}}
    assert decision["given"] == failure["given"] == given
    assert decision["reads"] == [["pin", "button", True]]
    assert failure["error"] == "ValueError: no" and "reads" not in failure


def test_what_is_too_large_for_a_trace_is_left_out_visibly(journal, out):
    event = Event("f-1", "sensor/light", "t", 5.0, "x" * 9000)
    journal.decision(event, 9100, Result(None, {}, 0.2, None))
    journal.decision(event, 90, Result(None, {}, 0.2, [["state", "k", "x" * 9000]]))
    large, lying = (fields for _, _, fields in out)
    assert "data" not in large["given"]
    assert large["reads"] is lying["reads"] is None


def test_long_lines_are_cut(journal, out):
    journal.lines("error", ["x" * 10_000])
    assert len(texts(out)[0]) == 2000
