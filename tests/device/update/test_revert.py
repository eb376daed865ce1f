"""Generations that fail their trial, through the engine: reverted without the cloud, for each reason, with evidence."""

import errno
import threading

import pytest

from device.errors import BusyError, LamplightError
from device.health import TriggerFault
from device.infer.acceptance import AbandonedError
from device.protocol import deployment, reasons
from device.update import slots
from device.update.trial import judge
from tests.device.harness import HANDLER, Health, function_files, model_files
from tests.support import until

pytestmark = pytest.mark.usefixtures("verified_here")


def code(number):
    return function_files(body=HANDLER % number)


def done(generation, state="COMMITTED"):
    return lambda status: (status.update, status.state) == (generation, state)


@pytest.fixture
def settled(cloud, device):
    """A device that runs generation 1, whose function handled 300 events and failed 30 times."""
    device.boot()
    device.deploy(cloud.desired(1, cloud.release(code(1))))
    device.runner.counters[1] = Health(events=300, errors=30)
    return device


FAILURES = {
    "crashes": Health(state="backoff", crashes=3, last_error="boom"),
    "timeouts": Health(state="backoff", timeouts=3, last_error="timeout: no result after 2 s"),
    "memory": Health(state="backoff", crashes=1, deaths={"memory": 1}, last_error="memory: met its limit"),
    "errors": Health(events=60, errors=30, last_error="ValueError: lux"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_it_is_reverted_offline_with_evidence(cloud, settled, kind):
    settled.runner.counters[2] = Health()
    settled.engine.desired(cloud.desired(2, cloud.release(code(2)), seconds=3600))
    settled.wait(done(2, "TRIAL"))
    settled.link.cut()
    cloud.broker.clear()
    settled.runner.counters[2] = FAILURES[kind]
    evidence = settled.wait(done(2, "REVERTED")).evidence[2]
    assert (evidence["kind"], evidence["function"]) == (kind, "lamp")
    assert (evidence["before"]["events"], evidence["before"]["errors"]) == (300, 30)
    assert evidence["now"]["errors"] == FAILURES[kind].errors
    assert evidence["last_error"] == FAILURES[kind].last_error
    assert settled.runner.generation.number == 1
    assert settled.events[-1].evidence[2] == evidence
    settled.restart()
    assert settled.engine.status().evidence == {2: evidence}


def test_the_errors_of_the_old_version_are_known_after_a_reboot_in_trial(cloud, settled):
    settled.engine.desired(cloud.desired(2, cloud.release(code(2)), seconds=3600))
    settled.wait(done(2, "TRIAL"))
    settled.restart()
    settled.runner.counters[2] = FAILURES["errors"]
    assert settled.wait(done(2, "REVERTED")).evidence[2]["before"]["errors"] == 30


def test_the_old_version_is_the_one_before_both_when_a_trial_is_replaced(cloud, settled):
    settled.runner.counters[2] = Health(events=1000, errors=10)
    settled.engine.desired(cloud.desired(2, cloud.release(code(2)), seconds=3600))
    settled.wait(done(2, "TRIAL"))
    settled.engine.desired(cloud.desired(3, cloud.release(code(3)), seconds=3600))
    settled.wait(done(3, "TRIAL"))
    settled.runner.counters[3] = FAILURES["crashes"]
    assert settled.wait(done(3, "REVERTED")).evidence[3]["before"]["events"] == 300


def test_as_many_errors_as_before_are_committed(cloud, settled):
    settled.runner.counters[2] = Health(events=600, errors=60)
    settled.engine.desired(cloud.desired(2, cloud.release(code(2))))
    settled.wait(done(2))


def test_a_sensor_that_dies_under_the_new_generation_reverts_it(cloud, settled, monkeypatch):
    monkeypatch.setattr(judge, "SENSOR_PATIENCE", 0.0)
    settled.runner.kills[2] = {"light"}
    settled.engine.desired(cloud.desired(2, cloud.release(code(2))))
    status = settled.wait(done(2, "REVERTED"))
    assert (status.evidence[2]["kind"], status.evidence[2]["sensor"]) == ("sensor", "light")


def test_a_sensor_that_was_dead_before_does_not_keep_a_good_generation_out(cloud, settled, monkeypatch):
    monkeypatch.setattr(judge, "SENSOR_PATIENCE", 0.0)
    settled.runner.dead = {"light"}
    settled.engine.desired(cloud.desired(2, cloud.release(code(2))))
    settled.wait(done(2))


TAKEN = TriggerFault("http /lamp", "HTTP cannot be served", "stop what holds it")


def test_a_trigger_that_cannot_start_reverts_the_generation_with_its_reason(cloud, settled, monkeypatch):
    monkeypatch.setattr(judge, "TRIGGER_PATIENCE", 0.0)
    settled.runner.counters[2] = Health(state="impaired", triggers=(TAKEN,))
    settled.engine.desired(cloud.desired(2, cloud.release(code(2))))
    status = settled.wait(done(2, "REVERTED"))
    assert "http /lamp does not work: HTTP cannot be served" in status.reason
    assert (status.evidence[2]["kind"], status.evidence[2]["trigger"]) == ("trigger", "http /lamp")


def test_a_trigger_that_did_not_work_before_keeps_no_new_version_out_also_after_a_reboot(cloud, settled, monkeypatch):
    monkeypatch.setattr(judge, "TRIGGER_PATIENCE", 0.0)
    settled.runner.counters[1] = settled.runner.counters[2] = Health(state="impaired", triggers=(TAKEN,))
    settled.engine.desired(cloud.desired(2, cloud.release(code(2)), seconds=3600))
    settled.wait(done(2, "TRIAL"))
    settled.restart()
    settled.engine.desired(cloud.desired(3, cloud.release(code(3))))
    settled.runner.counters[3] = Health(state="impaired", triggers=(TAKEN,))
    settled.wait(done(3))


BUSY = Health(state="backoff", timeouts=3, excused=3, last_error="timeout: no answer")


def test_what_the_board_was_too_busy_for_is_reverted_and_may_be_asked_for_again(cloud, settled, monkeypatch):
    monkeypatch.setattr(judge, "BUSY_PATIENCE", 0.0)
    wanted = cloud.release(code(2))
    settled.runner.counters[2] = BUSY
    document = cloud.desired(2, wanted)
    settled.engine.desired(document)
    status = settled.wait(done(2, "REVERTED"))
    assert status.reason.startswith("the board was too busy to try it")
    assert status.evidence[2]["kind"] == "busy"
    # Not of itself, when the agent hears the same document again: the board may be as busy.
    settled.restart()
    settled.engine.desired(document)
    assert settled.engine.status().failed == {2: status.reason}
    settled.engine.desired(cloud.desired(3, wanted))
    settled.wait(done(3))
    assert settled.engine.status().failed == {}
    assert settled.states().count((2, "TRIAL")) == 1


def test_content_that_fails_after_it_was_excused_is_refused_from_then_on(cloud, settled, monkeypatch):
    monkeypatch.setattr(judge, "BUSY_PATIENCE", 0.0)
    wanted = cloud.release(code(2))
    settled.runner.counters[2], settled.runner.counters[3] = BUSY, FAILURES["crashes"]
    for generation in (2, 3):
        settled.engine.desired(cloud.desired(generation, wanted))
        settled.wait(done(generation, "REVERTED"))
    settled.engine.desired(cloud.desired(4, wanted))
    assert reasons.failed_before(settled.wait(done(4, "REJECTED")).reason)


@pytest.mark.parametrize("step", ["check", "switch"])
def test_a_board_too_busy_to_start_it_refuses_it_without_holding_it_against_the_content(cloud, settled, step):
    busy = BusyError("the board was too busy to try lamp version 2", "not done importing the handler after 30 s")
    wanted = cloud.release(code(2))
    if step == "check":
        settled.runner.refuse = busy
    else:
        settled.runner.break_on[2] = busy
    settled.engine.desired(cloud.desired(2, wanted))
    status = settled.wait(done(2, "REJECTED" if step == "check" else "REVERTED"))
    assert reasons.too_busy(status.reason)
    settled.runner.refuse = None
    settled.engine.desired(cloud.desired(3, wanted))
    settled.wait(done(3))


def test_a_generation_that_does_not_start_tells_why(cloud, settled):
    settled.runner.break_on[2] = LamplightError("the worker did not start")
    settled.engine.desired(cloud.desired(2, cloud.release(code(2))))
    evidence = settled.wait(done(2, "REVERTED")).evidence[2]
    assert evidence == {"kind": "start", "last_error": "the worker did not start"}


def test_only_the_monotonic_clock_ends_a_trial(cloud, device):
    now = [1000.0]
    device.clock = lambda: now[0]
    device.boot()
    device.engine.desired(cloud.desired(1, cloud.release(code(1)), seconds=60))
    device.wait(done(1, "TRIAL"))
    now[0] += 59.0
    looked = device.runner.looks
    device.wait(lambda _: device.runner.looks > looked + 2)
    assert device.engine.status().state == "TRIAL"
    now[0] += 1.0
    device.wait(done(1))


def test_failed_content_is_refused_with_a_word_on_how_to_have_it_tried_again(cloud, settled):
    bad = failed(cloud, settled)
    settled.engine.desired(cloud.desired(3, bad))
    assert "lamplight deploy --retry" in settled.wait(done(3, "REJECTED")).reason
    assert settled.runner.generation.number == 1


def test_failed_content_gets_one_more_trial_for_another_attempt(cloud, settled):
    bad = failed(cloud, settled)
    settled.engine.desired(cloud.desired(3, bad, attempt=3))
    settled.wait(done(3))
    assert settled.engine.status().failed == {}


def test_another_attempt_that_fails_is_no_endless_loop(cloud, settled):
    bad = failed(cloud, settled)
    settled.runner.counters[3] = FAILURES["crashes"]
    document = cloud.desired(3, bad, attempt=3)
    settled.engine.desired(document)
    settled.wait(done(3, "REVERTED"))
    settled.restart()
    trials = settled.states().count((3, "TRIAL"))
    settled.engine.desired(document)
    settled.engine.desired(cloud.desired(4, bad, attempt=3))
    settled.wait(done(4, "REJECTED"))
    assert settled.states().count((3, "TRIAL")) == trials
    settled.engine.desired(cloud.desired(5, bad, attempt=5))
    settled.wait(done(5))


def test_an_attempt_below_zero_is_no_deployment(cloud):
    fields = {**cloud.deployment(1).to_json(), "attempt": -1}
    with pytest.raises(ValueError, match="attempt"):
        deployment.parse(fields)


def test_evidence_is_kept_of_the_latest_failures_only(cloud):
    state = slots.Slots()
    for number in range(1, 10):
        state = slots.begin_trial(state, cloud.deployment(number, cloud.release(code(number))))
        state = slots.revert(state, "boom", {"kind": "crashes"})
    kept = [each.generation for each in state.failed.values() if each.evidence]
    assert kept == [6, 7, 8, 9]


def failed(cloud, device):
    """A release that the device reverted as generation 2."""
    bad = cloud.release(code(2))
    device.runner.counters[2] = FAILURES["crashes"]
    device.engine.desired(cloud.desired(2, bad))
    device.wait(done(2, "REVERTED"))
    return bad


def test_a_board_short_of_files_at_boot_neither_loses_nor_reverts_what_is_on_trial(cloud, settled, monkeypatch):
    settled.engine.desired(cloud.desired(2, cloud.release(code(2)), seconds=3600))
    settled.wait(done(2, "TRIAL"))
    settled.engine.stop()

    def short(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as failing:
        failing.setattr("device.artifact.archive.digest", short)
        assert settled.boot(start=False).number == 0
    assert settled.restart().number == 2
    assert settled.engine.status().failed == {}


def hanging(begun):
    """An acceptance that ends only when it is abandoned."""

    def hang(_folder, _timeout, abandoned):
        begun.set()
        until(abandoned, "somebody has other plans")
        raise AbandonedError("The model's checks were given up")

    return hang


def test_a_newer_deployment_ends_an_acceptance_without_end(cloud, settled, monkeypatch):
    begun = threading.Event()
    monkeypatch.setattr(settled, "_accept", hanging(begun))
    settled.restart()
    settled.engine.desired(cloud.desired(2, cloud.release(code(2)), cloud.release(model_files(), "model")))
    assert begun.wait(60)
    settled.engine.desired(cloud.desired(3, cloud.release(code(3))))
    settled.wait(done(3))
    assert (2, "REJECTED") not in settled.states(), "nobody knows what was wrong with it"


def test_rubbish_during_an_acceptance_only_starts_it_again(cloud, settled, monkeypatch):
    begun, real = threading.Event(), settled._accept
    monkeypatch.setattr(settled, "_accept", hanging(begun))
    settled.restart()
    settled.engine.desired(cloud.desired(2, cloud.release(code(2)), cloud.release(model_files(), "model")))
    assert begun.wait(60)
    monkeypatch.setattr(settled.engine, "_accept", real)
    settled.engine.desired(b"rubbish")
    settled.wait(done(2))


def test_the_end_of_the_agent_ends_an_acceptance(cloud, settled, monkeypatch):
    begun = threading.Event()
    monkeypatch.setattr(settled, "_accept", hanging(begun))
    settled.restart()
    settled.engine.desired(cloud.desired(2, cloud.release(code(2)), cloud.release(model_files(), "model")))
    assert begun.wait(60)
    settled.engine.stop()
    assert not settled.engine._thread.is_alive()


def test_a_newer_deployment_is_taken_when_going_back_failed_too(cloud, settled):
    settled.runner.counters[2] = FAILURES["crashes"]
    settled.runner.break_on[1] = LamplightError("the bus is busy")
    settled.engine.desired(cloud.desired(2, cloud.release(code(2))))
    settled.wait(lambda _: (2, "REVERTED") in settled.states())
    assert settled.runner.generation.number == 0
    settled.engine.desired(cloud.desired(3, cloud.release(code(3))))
    settled.wait(done(3))
