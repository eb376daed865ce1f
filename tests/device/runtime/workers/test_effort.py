"""Who was late for want of a processor: the decision, and the kernel's account under real starvation."""

import itertools
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from runtime_bench import QUICK, Bench, until

from device.errors import BusyError
from device.runtime.workers import effort
from device.runtime.workers.effort import Effort, Thread, starved

NOTHING = Effort({1: Thread()})


STATUS = "Name:\tpython3\nState:\tR (running)\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t7\n"


def after(ran, waited, held_back=0.0):
    return Effort({1: Thread(ran, waited)}, held_back)


@pytest.mark.parametrize(
    ("ran", "waited", "excused"),
    [
        (0.0, 0.0, False),  # it slept, or waited for a reply
        (1.0, 0.0, False),  # it computed, and had the processor for it
        (0.05, 0.9, True),  # it was ready nearly all the time
        (0.3, 0.6, True),
        (0.6, 0.4, False),  # it had the processor most of the time
        (0.1, 0.4, False),  # it slept for half of the time
    ],
)
def test_only_who_was_ready_and_had_no_processor_is_excused(ran, waited, excused):
    assert starved(NOTHING, after(ran, waited), 1.0) == excused


def test_only_what_happened_between_the_two_looks_counts():
    assert not starved(after(1.0, 50.0), after(1.0, 50.0), 1.0)
    assert starved(after(60.0, 0.0), after(60.1, 0.9), 1.0)


def test_a_limit_of_its_own_excuses_nobody():
    assert not starved(NOTHING, after(0.1, 0.9, held_back=0.8), 1.0)


def test_a_thread_that_waits_for_one_that_starves_is_excused_and_threads_that_starve_each_other_are_not():
    assert starved(NOTHING, Effort({1: Thread(), 2: Thread(0.1, 0.9)}), 1.0)
    assert not starved(NOTHING, Effort({1: Thread(), **dict.fromkeys(range(2, 6), Thread(0.25, 0.75))}), 1.0)


def test_a_wait_that_has_not_ended_counts_for_a_thread_that_is_ready_and_did_not_sleep_meanwhile():
    before = Effort({1: Thread(5.0, 5.0, sleeps=3)})
    assert starved(before, Effort({1: Thread(5.1, 5.0, sleeps=3, ready=True)}), 1.0)
    assert not starved(before, Effort({1: Thread(5.1, 5.0, sleeps=4, ready=True)}), 1.0)
    assert not starved(before, Effort({1: Thread(5.1, 5.0, sleeps=3)}), 1.0)
    assert not starved(before, Effort({1: Thread(5.9, 5.0, sleeps=3, ready=True)}), 1.0)


def test_without_an_account_nobody_is_excused():
    assert not starved(None, after(0.0, 1.0), 1.0)
    assert not starved(NOTHING, None, 1.0)


def test_an_account_that_the_kernel_does_not_keep_or_of_a_process_that_ended_is_none(tmp_path):
    assert effort.read(1, proc=tmp_path) is None
    task = tmp_path / "1" / "task" / "1"
    task.mkdir(parents=True)
    (task / "schedstat").write_text("0 0\n")
    assert effort.read(1, proc=tmp_path) is None
    (task / "status").write_text(STATUS)
    assert effort.read(1, proc=tmp_path) == Effort({1: Thread(sleeps=12, ready=True)})
    (task / "schedstat").write_text("\n")
    assert effort.read(1, proc=tmp_path) is None


def test_what_a_worker_started_is_part_of_its_account(tmp_path):
    for pid, children, text in ((1, "7 ", "1000000000 2000000000 3"), (7, "", "500000000 0 1")):
        task = tmp_path / str(pid) / "task" / str(pid)
        task.mkdir(parents=True)
        (task / "children").write_text(children)
        (task / "schedstat").write_text(text)
        (task / "status").write_text(STATUS.replace("R (running)", "S (sleeping)"))
    assert effort.read(1, proc=tmp_path) == Effort({1: Thread(1.0, 2.0, 12), 7: Thread(0.5, 0.0, 12)})


COMPUTES = """
def handler(event, context):
    while True:
        pass
"""
SLEEPS = """
import time
def handler(event, context):
    time.sleep(600)
"""
OTHERS = 8
linux = pytest.mark.skipif(sys.platform != "linux", reason="the account is Linux'")


@pytest.fixture
def crowd():
    """Makes a worker starve: others want its only processor, each in a session of its own.

    Linux may share a processor among sessions, whatever the order of their processes (sched(7), autogroup).
    """
    hogs = []

    def starve(pid):
        processor = min(os.sched_getaffinity(0))
        for _ in range(OTHERS):
            command = ["sh", "-c", "echo; while :; do :; done"]
            hogs.append(subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True))
        for hog in hogs:
            hog.stdout.readline()
            os.sched_setaffinity(hog.pid, {processor})
        os.sched_setaffinity(pid, {processor})
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))

    yield starve
    for hog in hogs:
        hog.kill()
        hog.communicate()


@linux
@pytest.mark.parametrize(("code", "excused"), [(COMPUTES, 1), (SLEEPS, 0)])
def test_a_worker_that_starves_is_excused_and_one_that_sleeps_beside_the_same_crowd_is_not(bench, crowd, code, excused):
    bench.run(bench.function(code, toml='timeout = "2s"'))
    crowd(bench.worker("f"))
    bench.offer("f")
    until(lambda: bench.health().timeouts == 1, "its time is over")
    assert bench.health().excused == excused
    assert ("other programs had the processor" in bench.health().last_error) == bool(excused)


@linux
def test_a_worker_that_computes_for_ever_on_a_board_with_time_is_not_excused(bench, monkeypatch):
    # As the kernel would tell on an idle machine; this one may be busy.
    looks = itertools.count()
    monkeypatch.setattr(effort, "read", lambda *_: after(1000.0 * next(looks), 0.0))
    bench.run(bench.function(COMPUTES, toml='timeout = "200ms"'))
    bench.offer("f")
    until(lambda: bench.health().timeouts == 1, "its time is over")
    assert bench.health().excused == 0


def starving(*_):
    """An account after which any time was too short."""
    starving.waited += 1000.0
    return after(0.0, starving.waited)


starving.waited = 0.0


@pytest.fixture
def hasty(tmp_path):
    bench = Bench(tmp_path, replace(QUICK, warm=0.2))
    yield bench
    bench.supervisor.close()


HANGS = "import time\ntime.sleep(600)\ndef handler(event, context): pass"


def test_an_import_that_starves_gets_more_time_and_is_then_refused_as_untried(hasty, monkeypatch):
    monkeypatch.setattr(effort, "read", starving)
    with pytest.raises(BusyError, match="the board was too busy to try f version 1"):
        hasty.supervisor.check(hasty.generation(hasty.function(HANGS)))


def test_an_import_that_starves_and_then_gets_on_is_taken(hasty, monkeypatch):
    monkeypatch.setattr(effort, "read", starving)
    gate = hasty.shared("gate")
    code = f"""
    import pathlib, time
    while not pathlib.Path({str(gate)!r}).read_text():
        time.sleep(0.01)
    def handler(event, context): return 1
    """
    rounds = iter(range(100))
    watched = effort.starved

    def second_round(*given):
        if next(rounds) == 1:
            gate.write_text("open")
        return watched(*given)

    monkeypatch.setattr(effort, "starved", second_round)
    hasty.supervisor.check(hasty.generation(hasty.function(code)))
    assert next(rounds) == 2


def test_an_import_that_hangs_by_itself_is_refused_as_before(hasty, monkeypatch):
    monkeypatch.setattr(effort, "read", lambda *_: after(0.0, 0.0))
    with pytest.raises(Exception, match="cannot start") as caught:
        hasty.supervisor.check(hasty.generation(hasty.function(HANGS)))
    assert not isinstance(caught.value, BusyError)
    assert "importing the handler" in str(caught.value)
