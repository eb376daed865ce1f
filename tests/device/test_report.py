"""The reported state: what docs/protocol/reported.md promises, and how often it is sent."""

from dataclasses import replace
from pathlib import Path

from device import libraries
from device.generation import Generation, InstalledModel
from device.health import FunctionHealth, OutputLevel, SensorHealth, TriggerFault
from device.protocol import messages
from device.protocol.model_manifest import ModelManifest
from device.protocol.reported import Disk, Reported, ReportedAgent, ReportedFunction, ReportedModel, parse
from device.report import COUNTERS_PERIOD, LONGEST_SILENCE, OUTPUTS_BURST, Throttle, compose
from device.update.status import Update

HEALTH = FunctionHealth(
    3,
    "ab" * 32,
    "running",
    events=9,
    errors=1,
    timeouts=2,
    crashes=4,
    restarts=6,
    last_error="x",
    deaths={"SIGSEGV": 4},
)
AGENT = ReportedAgent("0.2.0", "cd" * 32, True, "0.1.0", "")
UPDATE = Update(7, 6, 8, "FETCHING", "", bytes=10, total=20, whole=40, rate=5, failed={8: "it crashed"})


def body(
    health: FunctionHealth = HEALTH, update: Update = UPDATE, ok: bool = True, led: bool | None = True
) -> Reported:
    return compose(
        "lamplight/simulated",
        AGENT,
        "12-9f3a61c2",
        update,
        {"lamp": health},
        {"light": SensorHealth(ok, "" if ok else "unplugged")},
        Generation(7),
        {"memory": "rlimit"},
        Disk(free=1, used=2),
        {"led": OutputLevel("lamp", led, 50.5)},
    )


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_says_what_the_protocol_promises_and_is_json() -> None:
    told = body().to_json()
    messages.encode(told)
    assert parse(told) == body()
    assert (told["generation"], told["previous"], told["boot"]) == (7, 6, "12-9f3a61c2")
    amounts = {"bytes": 10, "total": 20, "whole": 40, "rate": 5}
    assert told["update"] == {"generation": 8, "state": "FETCHING", "reason": "", "part": "", **amounts}
    assert told["patches"] is True
    assert told["libraries"] == libraries.installed()
    assert told["agent"] == "0.2.0"
    agent = {"version": "0.2.0", "sha256": "cd" * 32, "trial": True, "previous": "0.1.0", "lost": "", "safe": ""}
    assert told["runtime"] == agent
    assert told["failed"] == {"8": "it crashed"}
    assert told["sensors"] == {"light": {"ok": True, "error": ""}}
    assert told["outputs"] == {"led": {"function": "lamp", "level": True, "since": 50.5}}


def test_every_way_to_fail_counts_as_an_error() -> None:
    assert body().functions["lamp"] == ReportedFunction(
        version=3,
        digest="ab" * 32,
        state="running",
        restarts=6,
        events=9,
        errors=7,
        deaths={"SIGSEGV": 4},
        last_error="x",
    )


def test_models_are_those_of_the_generation_that_runs(tmp_path: Path) -> None:
    manifest = ModelManifest.__new__(ModelManifest)
    running = Generation(1, {}, {"presence": InstalledModel("presence", 2, "cd" * 32, tmp_path, manifest)})
    told = compose("b", AGENT, "1-a", Update(), {}, {}, running, {}, Disk(0, 0), {})
    assert told.models == {"presence": ReportedModel(2, "cd" * 32)}


def test_a_change_is_due_at_once_and_only_once() -> None:
    throttle = Throttle(Clock())
    assert throttle.due(body())
    assert not throttle.due(body())
    assert throttle.due(body(ok=False))
    assert throttle.due(body(replace(HEALTH, state="backoff")))
    assert throttle.due(body(update=replace(UPDATE, state="STAGED")))


def test_counters_are_followed_slowly_however_fast_they_run() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    assert throttle.due(body())
    sent = 0
    for n in range(100):
        clock.now += COUNTERS_PERIOD / 10
        sent += throttle.due(body(replace(HEALTH, events=10 + n, errors=n)))
    assert sent == 10


def test_a_board_at_rest_still_says_now_and_then_that_it_is_there() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    throttle.due(body())
    clock.now += LONGEST_SILENCE - 1
    assert not throttle.due(body())
    clock.now += 1
    assert throttle.due(body())
    assert not throttle.due(body())


def test_a_new_connection_is_told_again() -> None:
    throttle = Throttle(Clock())
    throttle.due(body())
    throttle.forget()
    assert throttle.due(body())


def test_triggers_that_deliver_nothing_are_told_at_once_and_only_when_there_are_any():
    broken = replace(HEALTH, state="impaired", triggers=(TriggerFault("http /lamp", "taken", "stop it"),))
    told = body(broken)
    assert told.to_json()["functions"]["lamp"]["triggers"] == [
        {"trigger": "http /lamp", "error": "taken", "remedy": "stop it"}
    ]
    assert parse(told.to_json()) == told
    assert "triggers" not in body().to_json()["functions"]["lamp"]
    throttle = Throttle(Clock())
    assert throttle.due(body())
    assert throttle.due(told)


def test_an_output_is_told_at_once_and_one_that_changes_without_end_now_and_then() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    assert throttle.due(body(led=None))
    assert throttle.due(body(led=True))
    sent = 0
    for number in range(100):
        clock.now += 1
        sent += throttle.due(body(led=number % 2 == 0))
    assert OUTPUTS_BURST < sent < 35
    clock.now += COUNTERS_PERIOD
    assert throttle.due(body(led=None)), "the last level is told in the end"


def test_the_farewell_is_what_was_said_last_with_the_levels_of_now() -> None:
    throttle = Throttle(Clock())
    assert throttle.farewell({}) is None
    assert throttle.due(body(led=True))
    told = throttle.farewell({})
    expected = body(led=True)
    expected.outputs = {}
    assert told == expected
