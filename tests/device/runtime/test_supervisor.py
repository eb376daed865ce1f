"""The supervisor with real processes on fake hardware: switching, calling, checking, health."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from runtime_bench import until

from device.errors import LamplightError, LeaseError, NotFoundError, RejectedError, UsageError
from device.runtime.workers.starter import Starter

ECHO = "def handler(event, context): return event.data"
BROKEN = "import nothing_of_this_name\ndef handler(event, context): return 0"
LED = """
[pins.led]
safe = false
"""
COUNTER = """
def handler(event, context):
    with open(context.config["file"], "a") as seen:
        seen.write(f"{event.data}\\n")
"""


def test_a_call_returns_what_the_handler_returns(bench):
    bench.run(bench.function(ECHO))
    assert bench.supervisor.call("f", {"a": [1, 2.5, None, "ö"]}) == {"a": [1, 2.5, None, "ö"]}
    assert bench.health().events == 1
    assert bench.health().errors == 0


def test_a_call_of_an_unknown_function_names_the_known_ones(bench):
    bench.run(bench.function(ECHO))
    with pytest.raises(NotFoundError, match="f"):
        bench.supervisor.call("g", None)


def test_an_exception_reaches_the_caller_with_the_users_frames_only_and_the_worker_goes_on(bench):
    code = "def inner(): return 1 / 0\ndef handler(event, context): return inner() if event.data else 'fine'"
    bench.run(bench.function(code))
    first = bench.worker("f")
    with pytest.raises(LamplightError) as caught:
        bench.supervisor.call("f", 1)
    assert "ZeroDivisionError" in str(caught.value)
    assert "main.py:1 in inner" in str(caught.value)
    assert "worker.py" not in str(caught.value)
    assert bench.supervisor.call("f", 0) == "fine"
    assert bench.worker("f") == first
    assert (bench.health().errors, bench.health().crashes, bench.health().restarts) == (1, 0, 0)
    assert "ZeroDivisionError" in bench.health().last_error


@pytest.mark.parametrize("data", [{1, 2}, float("nan"), "x" * 200_000, "\ud800"])
def test_a_call_with_data_that_cannot_be_sent_is_refused_before_it_is_sent(bench, data):
    bench.run(bench.function(ECHO))
    with pytest.raises(UsageError):
        bench.supervisor.call("f", data)
    assert bench.supervisor.call("f", 1) == 1


def test_a_handled_event_becomes_a_decision_with_pins_and_result(bench):
    code = """
    def handler(event, context):
        context.pins["led"].value = event.data["lux"] < context.config["threshold"]
        return "dark" if context.pins["led"].value else "bright"
    """
    bench.run(bench.function(code, version=4, config={"threshold": 50}, toml=LED))
    bench.offer("f", {"lux": 20.0})
    bench.offer("f", {"lux": 80.0})
    first, second = bench.records.wait("decision", 2)
    assert first["lux"] == 20.0 and first["pins"] == {"led": True} and first["result"] == "dark"
    assert second["pins"] == {"led": False}
    assert (first["function"], first["version"], first["event"]) == ("f", 4, "f-1")
    assert first["trigger"] == "lamplight.test" and first["ms"] >= 0
    assert bench.hardware.levels("led") == [True, False]


def test_check_refuses_what_cannot_be_imported_and_touches_nothing_that_runs(bench):
    bench.run(bench.function(ECHO))
    pid = bench.worker("f")
    with pytest.raises(RejectedError, match="nothing_of_this_name"):
        bench.supervisor.check(bench.generation(bench.function(BROKEN, version=2)))
    assert bench.supervisor.call("f", 1) == 1
    assert bench.worker("f") == pid
    assert bench.health().version == 1


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def handler(event, context: return 1", "SyntaxError"),
        ("x = 1", "no function 'handler'"),
        ("import os; os._exit(7)", "exit status 7"),
        ("import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("raise SystemExit(0)", "SystemExit"),
        ("x = bytearray(1 << 30)", "MemoryError"),
    ],
    ids=["syntax error", "no handler", "exits", "segfault", "sys.exit", "memory"],
)
def test_check_says_why_a_module_cannot_be_imported(bench, code, says):
    with pytest.raises(RejectedError, match=says):
        bench.supervisor.check(bench.generation(bench.function(code)))


def test_a_module_named_like_one_of_the_standard_library_is_the_functions_own(bench):
    function = bench.function(ECHO)
    (function.path / "json.py").write_text(ECHO)
    function.manifest.module = "json"
    bench.supervisor.check(bench.generation(function))


def test_check_refuses_two_drivers_of_one_pin(bench):
    with pytest.raises(LeaseError, match="both"):
        bench.supervisor.check(
            bench.generation(bench.function(ECHO, "a", toml=LED), bench.function(ECHO, "b", toml=LED))
        )


def test_settings_too_large_for_a_message_are_refused(bench):
    with pytest.raises(RejectedError, match="settings"):
        bench.supervisor.check(bench.generation(bench.function(ECHO, config={"x": "y" * 200_000})))


def test_a_switch_that_cannot_warm_leaves_every_old_one_running(bench):
    bench.run(bench.function(ECHO, "a"), bench.function(ECHO, "b"))
    with pytest.raises(RejectedError, match="b version 2"):
        bench.supervisor.switch(
            bench.generation(bench.function(ECHO, "a", version=2), bench.function(BROKEN, "b", version=2))
        )
    assert [bench.health(n).version for n in "ab"] == [1, 1]
    assert bench.supervisor.call("a", 1) == bench.supervisor.call("b", 1) == 1


def test_twenty_switches_under_load_lose_no_event_and_handle_none_twice(bench):
    seen = bench.shared("seen")
    config = {"file": str(seen)}
    bench.run(bench.function(COUNTER, config=config))
    stop, sent = threading.Event(), []

    def load():
        while not stop.is_set():
            # Never more than the queue holds: what is dropped there is another test's.
            until(lambda: len(sent) - handled(seen) < 32)
            bench.offer("f", len(sent))
            sent.append(len(sent))

    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load)
        for version in range(2, 22):
            bench.run(bench.function(COUNTER, version=version, config=config))
            before = len(sent)
            until(lambda before=before: len(sent) > before + 5)
        stop.set()
        loading.result()
    until(lambda: handled(seen) >= len(sent))
    assert [int(n) for n in seen.read_text().split()] == sent
    assert bench.health().dropped == 0
    assert {r["version"] for r in bench.records.of("decision")} == set(range(1, 22))


def handled(seen):
    return len(seen.read_text().split()) if seen.exists() else 0


def test_the_led_does_not_pulse_at_a_switch(bench):
    code = "def handler(event, context): context.pins['led'].value = True"
    bench.run(bench.function(code, toml=LED))
    bench.supervisor.call("f", None)
    bench.run(bench.function(code, version=2, toml=LED))
    bench.supervisor.call("f", None)
    assert bench.hardware.levels("led") == [True, True]


def test_the_led_goes_to_its_safe_level_when_the_function_is_removed(bench):
    bench.run(bench.function("def handler(event, context): context.pins['led'].value = True", toml=LED))
    bench.supervisor.call("f", None)
    bench.supervisor.switch(bench.generation())
    assert bench.hardware.levels("led") == [True, False]
    assert bench.supervisor.health() == {}
    with pytest.raises(NotFoundError):
        bench.supervisor.call("f", None)


def test_the_led_goes_to_its_safe_level_when_a_version_no_longer_leases_it(bench):
    bench.run(bench.function("def handler(event, context): context.pins['led'].value = True", toml=LED))
    bench.supervisor.call("f", None)
    bench.run(bench.function(ECHO, version=2))
    assert bench.hardware.levels("led") == [True, False]


def test_a_pin_can_move_from_one_function_to_another_in_one_switch(bench):
    on = "def handler(event, context): context.pins['led'].value = True"
    bench.run(bench.function(on, "a", toml=LED), bench.function(ECHO, "b"))
    bench.run(bench.function(ECHO, "a", version=2), bench.function(on, "b", version=2, toml=LED))
    bench.supervisor.call("b", None)
    assert bench.hardware.levels("led")[-1] is True
    assert bench.health("b").crashes == 0


def test_a_function_that_did_not_change_keeps_its_process(bench):
    same = bench.function(ECHO, "a")
    bench.run(same, bench.function(ECHO, "b"))
    pid = bench.worker("a")
    bench.run(same, bench.function(ECHO, "b", version=2))
    assert bench.worker("a") == pid
    assert bench.health("b").version == 2


def test_new_settings_alone_make_a_new_worker(bench):
    code = "def handler(event, context): return context.config['threshold']"
    bench.run(bench.function(code, config={"threshold": 1}))
    bench.run(bench.function(code, config={"threshold": 2}))
    assert bench.supervisor.call("f", None) == 2


def test_event_ids_go_on_counting_when_a_function_comes_back(bench):
    bench.run(bench.function(ECHO))
    bench.offer("f")
    bench.records.wait("decision")
    bench.supervisor.switch(bench.generation())
    bench.run(bench.function(ECHO))
    bench.offer("f")
    assert [r["event"] for r in bench.records.wait("decision", 2)] == ["f-1", "f-2"]


def test_close_ends_a_function_that_is_busy(bench):
    bench.run(bench.function("import time\ndef handler(event, context): time.sleep(3600)", toml='timeout = "1h"'))
    bench.offer("f")
    until(lambda: bench.health().events == 1)
    bench.supervisor.close()
    assert bench.supervisor.health() == {}


TIMER = """
[[triggers]]
type = "timer"
every = "20ms"
"""
START = """
[[triggers]]
type = "start"
"""
SENSOR = """
[[triggers]]
type = "sensor"
sensor = "light"
every = "20ms"
window = 3
"""


def test_the_start_event_comes_once_for_each_generation_and_not_after_a_crash(bench):
    code = "import os\ndef handler(event, context): return os._exit(1) if event.data == 'crash' else None"
    bench.run(bench.function(code, toml=START))
    bench.records.wait("decision", trigger="lamplight.start")
    bench.offer("f", "crash")
    until(lambda: bench.health().restarts == 1)
    assert bench.supervisor.call("f", None) is None
    assert len(bench.records.of("decision", trigger="lamplight.start")) == 1
    bench.run(bench.function(code, version=2, toml=START))
    bench.records.wait("decision", trigger="lamplight.start", version=2)


def test_a_timer_reaches_the_handler_and_stops_with_the_function(bench):
    bench.run(bench.function(ECHO, toml=TIMER))
    bench.records.wait("decision", 3, trigger="lamplight.timer.tick")
    bench.supervisor.switch(bench.generation())
    assert not [t for t in threading.enumerate() if t.name.startswith("timer")]


def test_a_sensor_event_carries_the_window_and_a_kept_trigger_keeps_it_over_a_switch(bench):
    code = "def handler(event, context): return len(event.data['window'])"
    bench.run(bench.function(code, toml=SENSOR))
    bench.records.wait("decision", result=3)
    trigger = next(iter(bench.supervisor._triggers._running["f"].values()))
    bench.run(bench.function(code, version=2, toml=SENSOR))
    bench.records.wait("decision", version=2, result=3)
    assert next(iter(bench.supervisor._triggers._running["f"].values())) is trigger


def test_a_slow_function_does_not_slow_a_neighbour_on_the_same_sensor(bench):
    slow = "import time\ndef handler(event, context): time.sleep(3600)"
    bench.run(bench.function(slow, "slow", toml='timeout = "1h"' + SENSOR), bench.function(ECHO, "quick", toml=SENSOR))
    bench.records.wait("decision", 10, function="quick")
    assert bench.health("slow").events == 1


def test_a_dead_sensor_starves_the_function_but_ends_nothing(bench):
    bench.hardware.light("unplugged")
    bench.run(bench.function(ECHO, toml=SENSOR))
    bench.records.wait("sensor", ok=False)
    assert bench.supervisor.sensors()["light"].ok is False
    bench.hardware.light(7)
    assert bench.records.wait("decision")[0]["lux"] == 7


def test_resumed_with_one_that_cannot_start_the_others_run_and_it_is_tried_again(bench, tmp_path):
    broken = bench.function("raise RuntimeError('no config file')", name="broken")
    bench.supervisor.resume(bench.generation(broken, bench.function(ECHO, name="well")))
    assert bench.supervisor.call("well", 7) == 7
    assert bench.supervisor.health()["broken"].state == "backoff"
    assert "no config file" in bench.supervisor.health()["broken"].last_error
    (broken.path / "main.py").write_text(ECHO)
    until(lambda: bench.supervisor.health()["broken"].state == "running", "it was tried again")
    assert bench.supervisor.call("broken", 8) == 8


def test_a_fault_of_ours_in_the_dispatcher_replaces_the_worker_and_the_function_goes_on(bench, monkeypatch):
    bench.run(bench.function(ECHO))
    first = bench.worker("f")
    faults = ["decision"]
    emit = bench.records.emit

    def faulty(stream, kind, fields):
        if kind in faults:
            faults.remove(kind)
            raise RuntimeError("a fault of ours")
        emit(stream, kind, fields)

    monkeypatch.setattr(bench.supervisor._dispatchers["f"]._journal, "_emit", faulty)
    bench.offer("f", 1)
    until(lambda: not faults, "the fault")
    until(lambda: bench.supervisor.health()["f"].state == "running" and bench.worker("f") != first, "a new worker")
    assert bench.supervisor.call("f", 2) == 2


def test_a_full_disk_at_the_start_of_a_function_is_tried_again(bench):
    (bench.folder / "scratch").write_text("no folder can be made below this")
    bench.supervisor.resume(bench.generation(bench.function(ECHO)))
    until(lambda: bench.health().crashes, "it failed")
    assert "folders cannot be made" in bench.health().last_error
    (bench.folder / "scratch").unlink()
    assert bench.supervisor.call("f", 1) == 1


def test_resumed_functions_warm_up_together_so_that_one_that_hangs_delays_no_other(bench, monkeypatch):
    together, start = threading.Barrier(2, timeout=60), Starter.start

    def meet(*arguments):
        together.wait()
        return start(*arguments)

    monkeypatch.setattr(Starter, "start", meet)
    bench.supervisor.resume(bench.generation(bench.function(ECHO), bench.function(ECHO, name="well")))
    assert {health.state for health in bench.supervisor.health().values()} == {"running"}


def test_what_an_event_gave_and_the_handler_read_is_recorded_also_when_it_fails(bench):
    code = """
        def handler(event, context):
            context.state["n"] = context.state.get("n", 0) + 1
            lux = context.sensors["light"].lux
            if event.data == "fail":
                raise ValueError(lux)
            return lux
    """
    bench.hardware.light(7.5)
    bench.run(bench.function(code, toml='sensors = ["light"]'))
    for data in ("first", "second", "fail"):
        bench.offer("f", data)
    (failure,) = bench.records.wait("failure", function="f")
    first, second = bench.records.of("decision", function="f")
    assert [each["given"]["data"] for each in (first, second, failure)] == ["first", "second", "fail"]
    assert first["reads"] == [["sensor", "light", [7.5, False]]]
    assert second["reads"] == [["state", "n", 1], ["sensor", "light", [7.5, False]]]
    assert failure["reads"] == [["state", "n", 2], ["sensor", "light", [7.5, False]]]
    assert failure["error"].startswith("ValueError: 7.5")


def test_an_event_that_killed_its_worker_is_recorded_without_what_was_read(bench):
    bench.run(bench.function("import os\ndef handler(event, context):\n    os._exit(3)\n"))
    bench.offer("f", "fatal")
    (failure,) = bench.records.wait("failure", function="f")
    assert failure["given"]["data"] == "fatal" and failure["reads"] is None
