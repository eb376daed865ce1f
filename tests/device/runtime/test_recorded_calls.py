"""What is asked of a function is between who asks and the function, unless its manifest has it recorded."""

import contextlib
import threading

import pytest

from device.errors import LamplightError

# Answers, fails, dies or waits, as it is told.
AS_TOLD = """
import os, time
def handler(event, context):
    if event.data == "die":
        os._exit(7)
    if event.data == "wait":
        time.sleep(0.2)
    return 1 / event.data if isinstance(event.data, int) else event.data
"""
RECORDED = "record_calls = true\n"


def recorded(bench):
    return [each["given"]["data"] for kind in ("decision", "failure") for each in bench.records.of(kind)]


def ask(bench, data):
    with contextlib.suppress(LamplightError):
        bench.supervisor.call("f", data)


def test_a_call_is_recorded_only_when_the_manifest_says_so(bench):
    bench.run(bench.function(AS_TOLD, name="f"), bench.function(AS_TOLD, name="g", toml=RECORDED))
    assert bench.supervisor.call("f", 2) == bench.supervisor.call("g", 2) == 0.5
    (only,) = bench.records.wait("decision")
    assert (only["function"], only["trigger"], only["given"]["data"], only["result"]) == ("g", "lamplight.call", 2, 0.5)


def test_a_call_that_fails_and_one_that_kills_the_worker_are_recorded_as_failures(bench):
    bench.run(bench.function(AS_TOLD, toml=RECORDED))
    for data in (0, "die"):
        with pytest.raises(LamplightError):
            bench.supervisor.call("f", data)
    zero, died = bench.records.wait("failure", 2)
    assert "ZeroDivisionError" in zero["error"] and "crashed" in died["error"]
    assert died["given"]["data"] == "die" and died["reads"] is None


def ask_at_once(bench, asked):
    callers = [threading.Thread(target=ask, args=(bench, data)) for data in asked]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()


def test_calls_that_had_to_wait_are_recorded_too(bench):
    bench.run(bench.function(AS_TOLD, toml=RECORDED))
    asked = ["wait", "a", 0, "die"]
    ask_at_once(bench, asked)
    assert sorted(map(str, recorded(bench))) == sorted(map(str, asked))


def test_a_call_that_found_no_room_was_not_handled_and_leaves_no_record(bench):
    bench.run(bench.function(AS_TOLD, toml=RECORDED + "queue = 1\n"))
    ask_at_once(bench, ["wait", *range(1, 9)])
    assert len(recorded(bench)) == bench.health().events
