"""When a trial ends, and how."""

import pytest

from device.generation import Generation, InstalledFunction
from device.protocol import manifest
from device.update import trial
from device.update.trial import PATIENCE, Commit, Revert, Trial, Wait
from tests.device.update.harness import Health

TIMER = {"type": "timer", "every": "1s"}
SENSOR = {"type": "sensor", "sensor": "light"}
RULES = Trial(seconds=5.0, events=4, functions={"lamp": True})


def judge(elapsed, rules=RULES, **health):
    return trial.judge(rules, {"lamp": Health(**health)}, elapsed)


def test_it_is_committed_when_it_ran_long_enough_and_handled_enough():
    assert judge(4.9, events=100) == Wait()
    assert judge(5.0, events=3) == Wait()
    assert judge(5.0, events=4) == Commit()


def test_events_are_not_waited_for_where_none_may_come():
    assert judge(5.0, Trial(5.0, 4, {"lamp": False})) == Commit()


def test_events_are_not_waited_for_for_ever():
    assert judge(5.0 + PATIENCE - 0.1) == Wait()
    assert judge(5.0 + PATIENCE) == Commit()


@pytest.mark.parametrize(
    ("crashes", "timeouts", "words"), [(3, 0, "crashed 3"), (0, 3, "too long"), (1, 2, "too long")]
)
def test_a_crash_loop_is_reverted_at_once(crashes, timeouts, words):
    verdict = judge(0.1, state="backoff", crashes=crashes, timeouts=timeouts, last_error="boom")
    assert isinstance(verdict, Revert)
    assert words in verdict.reason
    assert verdict.reason.endswith(": boom")


def test_two_crashes_are_no_loop():
    assert judge(5.0, events=4, crashes=2) == Commit()


@pytest.mark.parametrize(
    ("events", "errors", "reverted"), [(4, 2, False), (4, 3, True), (3, 3, False), (100, 50, False), (100, 51, True)]
)
def test_more_errors_than_not_are_reverted_once_there_are_enough_events(events, errors, reverted):
    assert isinstance(judge(0.1, events=events, errors=errors), Revert) == reverted


def test_one_error_of_one_event_says_nothing_whatever_the_deployment_asks_for():
    assert judge(5.0, Trial(5.0, 0, {"lamp": True}), events=1, errors=1) == Commit()


@pytest.mark.parametrize("state", ["starting", "backoff", "stopped"])
def test_what_does_not_run_is_reverted_in_the_end(state):
    assert judge(5.0, state=state, events=9) == Wait()
    assert judge(5.0 + PATIENCE, state=state, events=9) == Revert(f"lamp: does not run: {state}")


def test_what_was_never_started_is_reverted_in_the_end():
    assert trial.judge(RULES, {}, 5.0) == Wait()
    assert trial.judge(RULES, {}, 5.0 + PATIENCE) == Revert("lamp: does not run: not started")


def test_one_bad_function_of_two_is_enough():
    rules = Trial(5.0, 4, {"lamp": True, "fan": True})
    health = {"lamp": Health(events=9), "fan": Health(crashes=3)}
    assert isinstance(trial.judge(rules, health, 1.0), Revert)


def test_nothing_changed_is_committed_at_once():
    assert trial.judge(Trial(3600.0, 4, {}), {}, 0.0) == Commit()


def installed(tmp_path, name, digest, *triggers):
    checked = manifest.function({"name": name, "handler": "main:handler", "triggers": list(triggers)})
    return InstalledFunction(name, 1, digest, tmp_path, checked, {})


def test_only_what_changed_is_on_trial(tmp_path):
    same = installed(tmp_path, "same", "a" * 64, TIMER)
    old = Generation(1, {"same": same, "lamp": installed(tmp_path, "lamp", "b" * 64)})
    functions = [
        same,
        installed(tmp_path, "lamp", "c" * 64, SENSOR),
        installed(tmp_path, "new", "d" * 64, {"type": "start"}),
        installed(tmp_path, "clock", "e" * 64, {"type": "start"}, TIMER),
    ]
    rules = trial.trial(old, Generation(2, {each.name: each for each in functions}), 5.0, 4)
    assert rules == Trial(5.0, 4, {"lamp": True, "new": False, "clock": True})
