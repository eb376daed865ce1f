"""When a trial ends, and how."""

from dataclasses import replace

import pytest

from device.generation import Generation, InstalledFunction
from device.health import SensorHealth, TriggerFault
from device.protocol import manifest
from device.update.trial import baseline
from device.update.trial import judge as trial
from device.update.trial.baseline import Baseline, Counts
from device.update.trial.judge import (
    BUSY_PATIENCE,
    MAX_ERROR,
    PATIENCE,
    SENSOR_PATIENCE,
    TRIGGER_PATIENCE,
    Commit,
    Revert,
    Trial,
    Wait,
)
from tests.device.harness import Health

TIMER = {"type": "timer", "every": "1s"}
SENSOR = {"type": "sensor", "sensor": "light"}
RULES = Trial(seconds=5.0, events=4, functions={"lamp": True})
LIGHT = {"light": SensorHealth(True, "")}
DARK = {"light": SensorHealth(False, "no answer")}


def judge(elapsed, rules=RULES, sensors=LIGHT, **health):
    return trial.judge(rules, {"lamp": Health(**health)}, sensors, elapsed)


def after(sensors=(), **counts):
    """The rules for a lamp whose old version did so, with these sensors read well."""
    return replace(RULES, before=Baseline({"lamp": Counts(**counts)}, frozenset(sensors)))


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
    assert judge(5.0 + PATIENCE, state=state, events=9).reason == f"lamp: does not run: {state}"


def test_what_was_never_started_is_reverted_in_the_end():
    assert trial.judge(RULES, {}, LIGHT, 5.0) == Wait()
    assert trial.judge(RULES, {}, LIGHT, 5.0 + PATIENCE).reason == "lamp: does not run: not started"


def test_one_bad_function_of_two_is_enough():
    rules = Trial(5.0, 4, {"lamp": True, "fan": True})
    health = {"lamp": Health(events=9), "fan": Health(crashes=3)}
    assert isinstance(trial.judge(rules, health, LIGHT, 1.0), Revert)


def test_nothing_changed_is_committed_at_once():
    assert trial.judge(Trial(3600.0, 4, {}), {}, LIGHT, 0.0) == Commit()


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
    before = Baseline({"lamp": Counts(events=1)})
    rules = trial.trial(old, Generation(2, {each.name: each for each in functions}), 5.0, 4, before)
    assert rules == Trial(5.0, 4, {"lamp": True, "new": False, "clock": True}, before)


def test_twice_the_errors_of_the_old_version_are_reverted_with_both_counts():
    verdict = judge(1.0, after(events=300, errors=60), events=100, errors=50, last_error="boom")
    assert verdict.reason == "lamp: 50 of 100 events failed (60 of 300 before) in its trial: boom"
    assert verdict.evidence["kind"] == "errors"
    assert (verdict.evidence["now"]["errors"], verdict.evidence["before"]["errors"]) == (50, 60)
    assert verdict.evidence["last_error"] == "boom"


def test_as_many_errors_as_the_old_version_had_are_not_held_against_the_new_one():
    assert judge(5.0, after(events=300, errors=60), events=1000, errors=200) == Commit()


def test_what_always_failed_may_go_on_failing():
    assert judge(5.0, after(events=300, errors=300), events=1000, errors=1000) == Commit()


@pytest.mark.parametrize("kind", ["memory", "oom"])
def test_the_first_death_by_memory_is_reverted(kind):
    verdict = judge(0.1, crashes=1, deaths={kind: 1}, last_error="memory: the function met its memory limit")
    assert (verdict.evidence["kind"], verdict.evidence["now"]["memory"]) == ("memory", 1)


def test_a_death_by_memory_is_no_news_where_the_old_version_had_them_too():
    assert judge(5.0, after(events=9, crashes=2, memory=2), events=9, crashes=1, deaths={"memory": 1}) == Commit()


def test_a_model_over_its_budget_in_more_than_one_run_of_twenty_is_reverted():
    verdict = judge(1.0, events=30, runs=59, slow=3)
    assert verdict.reason.startswith("lamp: its models took longer than their budget in 3 of 59 runs in its trial")
    assert verdict.evidence["kind"] == "latency"
    assert verdict.evidence["now"]["slow"] == 3


@pytest.mark.parametrize(("runs", "slow"), [(2, 2), (60, 3), (1000, 50), (1000, 0)])
def test_a_model_that_is_slow_now_and_then_is_kept(runs, slow):
    assert judge(5.0, events=30, runs=runs, slow=slow) == Commit()


def test_a_board_that_was_too_slow_before_is_not_held_against_the_new_version():
    assert judge(5.0, after(events=30, runs=100, slow=50), events=30, runs=100, slow=60) == Commit()


def test_a_sensor_that_dies_in_the_trial_is_waited_for_and_then_reverted():
    rules = after({"light"})
    assert judge(5.0, rules, DARK, events=9) == Wait()
    assert judge(5.0, rules, LIGHT, events=9) == Commit()
    verdict = judge(5.0 + SENSOR_PATIENCE, rules, DARK, events=9)
    assert verdict.evidence["sensor"] == "light"
    assert verdict.reason.endswith("fails since: no answer")


def test_a_sensor_that_was_dead_before_is_held_against_nobody():
    assert judge(5.0, after(), DARK, events=9) == Commit()


def test_a_sensor_that_the_board_no_longer_has_is_not_waited_for():
    assert judge(5.0, after({"light"}), {}, events=9) == Commit()


def test_a_traceback_without_end_is_cut_to_its_end():
    verdict = judge(0.1, crashes=3, last_error="x" * 100_000 + "boom")
    assert verdict.evidence["last_error"] == ("x" * MAX_ERROR + "boom")[-MAX_ERROR:]


TAKEN = TriggerFault("http /lamp", "HTTP cannot be served: process 7 (nginx) listens there", "stop it")


def test_a_trigger_that_delivers_nothing_in_the_end_is_reverted_with_its_reason():
    told = {"state": "impaired", "events": 9, "triggers": (TAKEN,)}
    assert judge(5.0 + TRIGGER_PATIENCE - 0.1, **told) == Wait()
    verdict = judge(5.0 + TRIGGER_PATIENCE, **told)
    assert verdict.reason == (
        "lamp: its trigger http /lamp does not work: HTTP cannot be served: process 7 (nginx) listens there"
    )
    assert (verdict.evidence["kind"], verdict.evidence["trigger"]) == ("trigger", "http /lamp")


def test_a_trigger_that_starts_within_its_time_is_forgiven():
    assert judge(5.0 + TRIGGER_PATIENCE, state="running", events=9, triggers=()) == Commit()


def test_a_trigger_that_delivered_nothing_before_is_held_against_nobody():
    rules = replace(RULES, before=Baseline(triggers=frozenset({"lamp http /lamp"})))
    assert judge(99.0, rules, state="impaired", events=9, triggers=(TAKEN,)) == Commit()
    other = replace(RULES, before=Baseline(triggers=frozenset({"fan http /lamp"})))
    assert isinstance(judge(99.0, other, state="impaired", events=9, triggers=(TAKEN,)), Revert)


def test_a_trigger_of_a_function_that_was_not_changed_is_not_on_trial():
    health = {"lamp": Health(events=9), "fan": Health(state="impaired", triggers=(TAKEN,))}
    assert trial.judge(RULES, health, LIGHT, 99.0) == Commit()


def test_what_the_board_had_no_time_for_prolongs_the_trial_and_is_no_failure_of_the_code():
    busy = {"state": "backoff", "events": 4, "timeouts": 4, "excused": 4, "last_error": "timeout: no answer"}
    assert judge(0.1, **busy) == Wait()
    assert judge(5.0 + BUSY_PATIENCE - 0.1, **busy) == Wait()
    verdict = judge(5.0 + BUSY_PATIENCE, after(events=9), **busy)
    assert verdict.evidence["before"] == {**ZERO, "events": 9}
    assert verdict.reason.startswith("the board was too busy to try it: lamp had too little processor time 4 times")
    assert (verdict.evidence["kind"], verdict.evidence["function"]) == ("busy", "lamp")
    assert verdict.evidence["now"]["excused"] == 4


def test_a_board_that_has_time_again_commits_what_then_does_well():
    assert judge(60.0, events=12, timeouts=4, excused=4) == Commit()
    assert judge(60.0, events=8, timeouts=4, excused=4) == Wait()


def test_what_sleeps_or_computes_for_ever_is_not_excused():
    assert isinstance(judge(0.1, state="backoff", events=3, timeouts=3, excused=0), Revert)


def test_deaths_of_its_own_beside_excused_ones_are_a_crash_loop():
    assert isinstance(judge(0.1, state="backoff", events=7, timeouts=7, excused=4), Revert)
    assert judge(0.1, state="backoff", events=6, timeouts=6, excused=4) == Wait()


def test_a_function_that_cannot_be_started_for_lack_of_time_was_not_tried():
    told = {"state": "backoff", "crashes": 1, "excused": 1}
    assert judge(5.0 + PATIENCE, **told) == Wait()
    assert judge(5.0 + BUSY_PATIENCE, **told).evidence["kind"] == "busy"
    assert judge(5.0 + PATIENCE, state="backoff", crashes=1).evidence["kind"] == "stopped"


def test_one_excused_event_of_many_is_nothing():
    assert judge(5.0, events=40, timeouts=1, excused=1) == Commit()


NO_LIGHT = TriggerFault("sensor light", "the sensor light cannot be read: no answer")


def test_a_sensor_that_was_dead_before_is_held_against_no_trigger_of_a_function_that_was_there():
    rules = replace(RULES, before=baseline.take({"lamp": Health(events=9)}, DARK))
    assert judge(99.0, rules, DARK, state="impaired", events=9, triggers=(NO_LIGHT,)) == Commit()
    new = replace(RULES, before=baseline.take({"fan": Health(events=9)}, DARK))
    assert "sensor light does not work" in judge(99.0, new, DARK, state="impaired", triggers=(NO_LIGHT,)).reason


ZERO = {
    "events": 0,
    "errors": 0,
    "timeouts": 0,
    "crashes": 0,
    "memory": 0,
    "runs": 0,
    "slow": 0,
    "excused": 0,
    "circles": 0,
}


def test_the_evidence_is_the_whole_of_both_accounts():
    verdict = judge(1.26, after(events=9), state="backoff", crashes=3, events=4, last_error="boom")
    assert verdict.evidence == {
        "kind": "crashes",
        "function": "lamp",
        "seconds": 1.3,
        "now": {**ZERO, "crashes": 3, "events": 4},
        "before": {**ZERO, "events": 9},
        "last_error": "boom",
    }


def test_the_evidence_of_what_was_never_started():
    verdict = trial.judge(after(events=9), {}, LIGHT, 5.0 + PATIENCE)
    assert verdict.evidence == {
        "kind": "stopped",
        "function": "lamp",
        "seconds": 65.0,
        "now": ZERO,
        "before": {**ZERO, "events": 9},
        "last_error": "",
    }
    stopped = judge(5.0 + PATIENCE, state="stopped", events=2, last_error="no").evidence
    assert (stopped["now"], stopped["last_error"]) == ({**ZERO, "events": 2}, "no")


def test_the_evidence_of_a_sensor_and_of_a_trigger():
    dark = {"light": SensorHealth(False, "x" * MAX_ERROR + "no answer")}
    verdict = judge(10.26, after({"light"}), dark, events=9)
    told = {"kind": "sensor", "sensor": "light", "seconds": 10.3, "last_error": dark["light"].error[-MAX_ERROR:]}
    assert verdict.evidence == told
    fault = TriggerFault("http /lamp", "y" * MAX_ERROR + "taken", "stop it")
    verdict = judge(10.26, state="impaired", events=9, triggers=(fault,))
    assert verdict.evidence == {
        "kind": "trigger",
        "function": "lamp",
        "trigger": "http /lamp",
        "seconds": 10.3,
        "last_error": fault.error[-MAX_ERROR:],
    }


def test_a_reason_says_what_happened_how_often():
    assert judge(0.1, state="backoff", crashes=2, timeouts=2, last_error="boom").reason == (
        "lamp: crashed 4 times in its trial: boom"
    )
    assert judge(0.1, state="backoff", crashes=1, timeouts=2).evidence["kind"] == "timeouts"
    assert judge(0.1, state="backoff", crashes=1, timeouts=2).reason == "lamp: took too long 3 times in its trial: "
    assert judge(0.1, crashes=1, deaths={"oom": 1}).reason == "lamp: met its memory limit in its trial: "
    assert judge(0.1, events=4, errors=3).reason == "lamp: 3 of 4 events failed in its trial: "


@pytest.mark.parametrize("field", [{"above": 5, "below": 4}, {"delta": 1}])
def test_a_sensor_whose_light_must_change_first_gives_no_events_by_itself(field):
    table = {"name": "lamp", "handler": "m:h", "triggers": [{**SENSOR, **field}]}
    assert not trial.gets_events(manifest.function(table))
    assert trial.gets_events(manifest.function({**table, "triggers": [SENSOR]}))


def test_a_board_is_too_busy_from_three_excused_deaths_on_until_more_events_went_well():
    assert judge(60.0, events=7, timeouts=3, excused=3) == Commit()
    assert judge(60.0, events=6, timeouts=3, excused=3) == Wait()
    assert judge(60.0, events=6, timeouts=2, excused=2) == Commit()
    # Errors are no events that went well.
    assert judge(60.0, events=8, timeouts=3, excused=3, errors=2) == Wait()
    assert judge(60.0, events=3, crashes=1, timeouts=2, excused=3) == Wait()


def test_a_bad_function_after_good_ones_is_seen_wherever_it_stands():
    rules = Trial(5.0, 4, {"lamp": True, "fan": True})
    good, slow = Health(events=9), Health(events=3)
    assert trial.judge(rules, {"lamp": good, "fan": good}, LIGHT, 5.0) == Commit()
    for health in ({"lamp": good, "fan": slow}, {"lamp": slow, "fan": good}, {"fan": good}, {"lamp": good}):
        assert trial.judge(rules, health, LIGHT, 5.0) == Wait()


def test_a_function_that_starts_itself_through_others_is_reverted_unless_the_old_one_did():
    verdict = judge(1.0, events=17, circles=1)
    assert isinstance(verdict, Revert) and "started itself again without end" in verdict.reason
    assert verdict.evidence["kind"] == "circle" and verdict.evidence["now"]["circles"] == 1
    assert judge(5.0, after(circles=1), events=17, circles=2) == Commit()
