"""Several workers of one function: shared queue, switches under load, the loss of one of them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runtime_bench import Bench, until

from device.errors import LamplightError, OfflineError

ECHO = "def handler(event, context): return event.data"
WHO = "import os\ndef handler(event, context): return os.getpid()"
# Each event leaves one line, written in one piece, by whichever worker.
COUNTER = """
import os
def handler(event, context):
    seen = os.open(context.config["file"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(seen, f"{event.data}\\n".encode())
    os.close(seen)
    return event.data
"""
HANG = """
import time
def handler(event, context):
    if event.data == "hang":
        time.sleep(3600)
    return event.data
"""


def many(count, more=""):
    return f"instances = {count}\n{more}"


def handled(seen):
    return sorted(int(n) for n in seen.read_text().split()) if seen.exists() else []


def test_busy_workers_leave_the_queue_to_the_others(bench):
    bench.run(bench.function(HANG, toml=many(3, 'timeout = "1h"')))
    bench.offer("f", "hang")
    bench.offer("f", "hang")
    until(lambda: bench.health().events == 2)
    assert [bench.supervisor.call("f", n) for n in range(20)] == list(range(20))


def test_every_instance_is_a_process_of_its_own_and_all_end_with_the_function(bench):
    bench.run(bench.function(WHO, toml=many(4)))
    started = bench.records.wait("worker", 4, what="started")
    assert len({each["detail"] for each in started}) == 4
    bench.supervisor.switch(bench.generation())
    assert len(bench.records.wait("worker", 4, what="stopped")) == 4


def test_the_death_of_one_is_counted_by_kind_and_does_not_stop_the_rest(bench):
    code = """
    import os, signal
    def handler(event, context):
        {"segv": lambda: os.kill(os.getpid(), signal.SIGSEGV), "exit": lambda: os._exit(7),
         "memory": lambda: bytearray(1 << 33)}.get(event.data, lambda: None)()
        return event.data
    """
    bench.run(bench.function(code, toml=many(2)))
    for how in ("segv", "exit", "memory"):
        with pytest.raises(LamplightError):
            bench.supervisor.call("f", how)
        assert bench.supervisor.call("f", 1) == 1
    until(lambda: bench.health().deaths == {"SIGSEGV": 1, "exit 7": 1, "memory": 1})
    until(lambda: bench.health().restarts == 3)


def test_a_deadline_is_a_death_of_its_own_kind_also_for_a_caller_that_runs_the_worker_itself(bench):
    bench.run(bench.function(HANG, toml='timeout = "100ms"'))
    with pytest.raises(OfflineError, match="was stopped"):
        bench.supervisor.call("f", "hang")
    until(lambda: bench.health().deaths == {"deadline": 1})
    assert bench.supervisor.call("f", 1) == 1


@pytest.mark.parametrize("counts", [(1, 3, 2, 4, 1, 2), (4, 4, 4, 4, 4, 4)])
def test_switches_under_load_lose_no_event_and_handle_none_twice(bench, counts):
    seen = bench.shared("seen")
    config = {"file": str(seen)}
    bench.run(bench.function(COUNTER, config=config, toml=many(counts[0])))
    stop, numbers, lock = threading.Event(), iter(range(10**9)), threading.Lock()
    sent = []

    def number():
        with lock:
            sent.append(next(numbers))
            return sent[-1]

    def trigger():
        while not stop.is_set():
            until(lambda: len(sent) - len(handled(seen)) < 24)
            bench.offer("f", number())

    def caller():
        while not stop.is_set():
            mine = number()
            assert bench.supervisor.call("f", mine) == mine

    with ThreadPoolExecutor(4) as pool:
        loading = [pool.submit(each) for each in (trigger, caller, caller, caller)]
        for version, count in enumerate(counts[1:], 2):
            before = len(sent)
            until(lambda before=before: len(sent) > before + 10)
            bench.run(bench.function(COUNTER, version=version, config=config, toml=many(count)))
        stop.set()
        for each in loading:
            each.result()
    until(lambda: len(handled(seen)) >= len(sent))
    assert handled(seen) == sorted(sent)
    assert bench.health().deaths == {}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["offer", "call", "switch", "grow"]), min_size=5, max_size=25))
def test_any_order_of_events_calls_and_switches_keeps_each_event_once(tmp_path_factory, steps):
    bench = Bench(tmp_path_factory.mktemp("bench"))
    seen = bench.shared("seen")
    version, count, sent = 1, 1, []
    try:
        bench.run(bench.function(COUNTER, config={"file": str(seen)}, toml=many(count, "queue = 1000")))
        for step in steps:
            if step in ("switch", "grow"):
                version, count = version + 1, count % 3 + 1 if step == "grow" else count
                toml = many(count, "queue = 1000")
                bench.run(bench.function(COUNTER, version=version, config={"file": str(seen)}, toml=toml))
                continue
            sent.append(len(sent))
            (bench.offer if step == "offer" else bench.supervisor.call)("f", sent[-1])
        until(lambda: len(handled(seen)) >= len(sent))
        assert handled(seen) == sent
    finally:
        bench.supervisor.close()


def test_a_print_during_a_call_reaches_the_log_and_one_while_idle_too(bench):
    code = """
    import threading, time
    def later(): time.sleep(0.05); print("afterwards")
    def handler(event, context):
        print("during")
        threading.Thread(target=later).start()
    """
    bench.run(bench.function(code))
    bench.supervisor.call("f", None)
    bench.records.wait("log", function="f", text="during")
    bench.records.wait("log", function="f", text="afterwards")


def test_a_line_that_is_begun_in_one_event_does_not_run_into_the_next(bench):
    code = """
    import sys
    def handler(event, context):
        if event.data == "progress":
            print("\\r10%", end="")
            print("\\r100%", end="", flush=True)
        elif event.data == "close":
            sys.stdout.close()
        elif event.data:
            print(event.data, end="")
    """
    bench.run(bench.function(code))
    for data in ("measuring...", "progress", "done", "close"):
        bench.supervisor.call("f", data)
    assert bench.supervisor.call("f", "") is None
    bench.records.wait("log", function="f", text="done")
    assert [each["text"] for each in bench.records.of("log")] == ["measuring...", "10%", "100%", "done"]
    assert bench.health().restarts == 0


def test_a_full_queue_refuses_the_newest_call_where_the_manifest_says_so(bench):
    bench.run(bench.function(HANG, toml='timeout = "1h"\nqueue = 1\noverflow = "drop-newest"'))
    bench.offer("f", "hang")
    until(lambda: bench.health().events == 1)
    bench.offer("f", 1)
    with pytest.raises(OfflineError, match="queue was full"):
        bench.supervisor.call("f", 2)
    assert bench.health().dropped == 1


def test_a_call_to_a_full_queue_that_blocks_waits_for_its_turn(bench):
    code = "import time\ndef handler(event, context):\n    time.sleep(0.05)\n    return event.data"
    bench.run(bench.function(code, toml='queue = 1\noverflow = "block"'))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: bench.supervisor.call("f", n), range(12)))
    assert answers == list(range(12))
    assert bench.health().dropped == 0


def test_a_fault_of_ours_in_a_callers_thread_replaces_the_worker(bench, monkeypatch):
    bench.run(bench.function(ECHO))
    instance = bench.supervisor._dispatchers["f"]._instances[0]
    bench.supervisor.call("f", 1)

    def faulty(*arguments):
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(instance._worker, "_hear", faulty)
        with pytest.raises(RuntimeError):
            bench.supervisor.call("f", 2)
    until(lambda: bench.health().restarts == 1)
    assert bench.supervisor.call("f", 3) == 3
