"""Functions that hang, leak, crash or lie: each is stopped and said so; the agent and a neighbour go on."""

import threading

import pytest
from runtime_bench import Bench, alive, until

from device.errors import LamplightError, OfflineError, RejectedError
from device.runtime.policy import Policy

NEIGHBOUR = "def handler(event, context): return event.data + 1"
# Hostile code sends on the worker's own channel: the socket among its file descriptors.
FIND_CHANNEL = """
import os, socket, stat
def channel():
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
"""
LED = """
timeout = "1s"
[pins.led]
safe = false
"""


@pytest.fixture
def neighbour(bench):
    """Runs beside the hostile function and must not notice it."""
    function = bench.function(NEIGHBOUR, "neighbour")
    yield function
    assert bench.supervisor.call("neighbour", 41) == 42
    health = bench.health("neighbour")
    assert (health.crashes, health.timeouts, health.restarts, health.errors) == (0, 0, 0, 0)


def attack(bench, neighbour, code, toml='timeout = "1s"'):
    """Run the hostile function and give it one event that it turns against us; its worker's process id."""
    bench.run(bench.function(code, "hostile", toml=toml), neighbour)
    first = bench.worker("hostile")
    bench.offer("hostile", "attack")
    return first


def recovered(bench, first, what):
    """It was ended, the reason was recorded, and a new worker answers."""
    record = bench.records.wait("worker", function="hostile", what=what)[0]
    bench.records.wait("worker", 2, function="hostile", what="started")
    assert bench.supervisor.call("hostile", "peace") == "peace"
    assert bench.worker("hostile") != first
    assert not alive(first)
    assert bench.health("hostile").restarts == 1
    return record["detail"]


def hostile(body):
    """A function that runs `body` for the event "attack", and returns what else it is given."""
    attacked = f"    if event.data == 'attack':\n        {body}\n"
    return f"{FIND_CHANNEL}\ndef handler(event, context):\n{attacked}    return event.data\n"


def test_a_function_that_hangs_is_ended_at_its_deadline(bench, neighbour):
    first = attack(bench, neighbour, hostile("while True: pass"))
    assert "hostile-1" in recovered(bench, first, "timeout")
    assert bench.health("hostile").timeouts == 1


def test_a_function_that_ignores_sigterm_and_sleeps_is_ended_at_its_deadline(bench, neighbour):
    body = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
    recovered(bench, attack(bench, neighbour, hostile(body)), "timeout")


def test_a_caller_of_a_function_that_hangs_is_told(bench, neighbour):
    bench.run(bench.function(hostile("while True: pass"), "hostile", toml='timeout = "1s"'), neighbour)
    with pytest.raises(OfflineError, match="stopped"):
        bench.supervisor.call("hostile", "attack")


# What the function does → what the record of its end says.
CRASHES = {
    "os._exit": ("os._exit(3)", "exit status 3"),
    "null pointer": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "SIGKILL": ("os.kill(os.getpid(), 9)", "SIGKILL"),
    "abort": ("os.abort()", "SIGABRT"),
    "closes the channel": ("channel().shutdown(socket.SHUT_RDWR)", ""),
    "garbage": ("channel().send(b'\\x00\\xff garbage')", "malformed"),
    "deep nesting": ("channel().send(b'[' * 100000)", "malformed"),
    "NaN": ('channel().send(b\'{"is": "result", "value": NaN, "pins": {}, "ms": 1}\')', "malformed"),
    "infinity": ('channel().send(b\'{"is": "result", "value": 1e999, "pins": {}, "ms": 1}\')', "malformed"),
    "lone surrogate": ('channel().send(b\'{"is": "result", "value": "\\\\ud800", "pins": {}, "ms": 1}\')', "malformed"),
    "unknown message": ('channel().send(b\'{"is": "coup"}\')', "unknown"),
    "wrong pin level": ('channel().send(b\'{"is": "result", "pins": {"led": 7}, "ms": 1}\')', "true or false"),
    "negative time": ('channel().send(b\'{"is": "result", "pins": {}, "ms": -1}\')', "no duration"),
    "wrong level": ('channel().send(b\'{"is": "log", "level": "loud", "text": ""}\')', "unknown"),
    "out of turn": ('channel().send(b\'{"is": "ready"}\')', "Ready"),
    "oversized": ("channel().send(b'x' * 140000)", "oversized"),
    "empty": ("channel().send(b'')", ""),
}


@pytest.mark.parametrize(("body", "says"), CRASHES.values(), ids=CRASHES)
def test_a_crash_or_a_broken_message_ends_the_worker_and_says_why(bench, neighbour, body, says):
    first = attack(bench, neighbour, hostile(body))
    assert says in recovered(bench, first, "crashed")
    assert bench.health("hostile").crashes == 1
    # At most once: the event in hand is not tried again.
    assert [r["event"] for r in bench.records.of("decision", function="hostile")] == []


def test_the_text_of_a_crash_in_c_is_in_the_log(bench, neighbour):
    recovered(bench, attack(bench, neighbour, hostile("import ctypes; ctypes.string_at(0)")), "crashed")
    assert any("Segmentation fault" in text for text in bench.records.texts("hostile"))


def test_a_result_out_of_turn_ends_the_worker(bench, neighbour):
    # Two answers to one event: the second must never be taken for the next event's.
    twice = 'channel().send(b\'{"is": "result", "value": "forged", "pins": {}, "ms": 1}\')'
    recovered(bench, attack(bench, neighbour, hostile(twice)), "crashed")
    assert "Result" in bench.health("hostile").last_error


def test_a_leak_is_a_memory_error_and_a_new_process(bench, neighbour):
    body = "kept = []\n        while True: kept.append(bytearray(1 << 20))"
    detail = recovered(bench, attack(bench, neighbour, hostile(body), 'memory = "16M"\ntimeout = "20s"'), "memory")
    assert "memory" in detail
    assert bench.health("hostile").errors == 1


def test_a_leak_that_is_kept_between_events_ends_too(bench, neighbour):
    code = "kept = []\ndef handler(event, context): kept.append(bytearray(1 << 20))"
    bench.run(bench.function(code, "hostile", toml='memory = "16M"\ntimeout = "20s"'), neighbour)
    for _ in range(40):
        bench.offer("hostile")
    bench.records.wait("worker", function="hostile", what="memory")


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "raise KeyboardInterrupt", "raise BaseException", "exit()"])
def test_leaving_by_an_exception_is_an_error_and_the_worker_goes_on(bench, neighbour, body):
    first = attack(bench, neighbour, hostile(body))
    until(lambda: bench.health("hostile").errors == 1)
    assert bench.supervisor.call("hostile", "peace") == "peace"
    assert bench.worker("hostile") == first


@pytest.mark.parametrize(
    "value",
    ["object()", "float('nan')", "'x' * 1000000", "{1j: 2}", "'\\ud800'", "(x := []).append(x) or x"],
)
def test_a_result_that_cannot_be_sent_is_an_error_and_the_worker_goes_on(bench, neighbour, value):
    first = attack(bench, neighbour, hostile(f"return {value}"))
    until(lambda: bench.health("hostile").errors == 1)
    assert "cannot be sent" in bench.health("hostile").last_error
    assert bench.supervisor.call("hostile", "peace") == "peace"
    assert bench.worker("hostile") == first


def test_an_exception_that_raises_when_it_is_printed_is_an_error(bench, neighbour):
    body = "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})()"
    attack(bench, neighbour, hostile(body))
    until(lambda: bench.health("hostile").errors == 1)
    assert bench.supervisor.call("hostile", "peace") == "peace"


def test_a_flood_of_log_lines_is_dropped_and_counted(bench, neighbour):
    attack(bench, neighbour, hostile("for n in range(20000): print('line', n)"), 'timeout = "60s"')
    bench.records.wait("decision", function="hostile")
    bench.supervisor.switch(bench.generation(neighbour))
    texts = bench.records.texts("hostile")
    assert len(texts) < 5000
    assert any("dropped" in text for text in texts)


def test_a_line_without_end_is_shortened(bench, neighbour):
    attack(bench, neighbour, hostile("print('x' * 1000000, end=''); print(); print('after')"), 'timeout = "60s"')
    until(lambda: "after" in bench.records.texts("hostile"))
    assert max(len(text) for text in bench.records.texts("hostile")) <= 2000


def test_a_flood_of_published_messages_is_dropped_and_counted(bench, neighbour):
    attack(bench, neighbour, hostile("for n in range(5000): context.publish('t', n)"), 'timeout = "60s"')
    bench.records.wait("decision", function="hostile")
    assert len(bench.records.of("publish")) < 2500


def test_a_flood_on_the_channel_cannot_outlast_the_deadline(bench, neighbour):
    body = "\n        while True: context.log.info('again')"
    recovered(bench, attack(bench, neighbour, hostile(body)), "timeout")


def test_a_thread_that_floods_between_events_disturbs_nobody(bench, neighbour):
    body = "import threading; threading.Thread(target=lambda: [print('x') for _ in iter(int, 1)], daemon=True).start()"
    attack(bench, neighbour, hostile(body), 'timeout = "20s"')
    bench.records.wait("decision", function="hostile")
    assert bench.supervisor.call("hostile", "peace") == "peace"
    bench.supervisor.switch(bench.generation(neighbour))


def test_closing_stdout_and_stderr_harms_nobody(bench, neighbour):
    attack(bench, neighbour, hostile("os.close(1); os.close(2)"))
    bench.records.wait("decision", function="hostile")
    assert bench.supervisor.call("hostile", "peace") == "peace"


def test_what_a_function_started_ends_with_it(bench, neighbour):
    body = "import subprocess; print('child', subprocess.Popen(['sleep', '3600']).pid); os._exit(1)"
    recovered(bench, attack(bench, neighbour, hostile(body)), "crashed")
    child = next(int(text.split()[1]) for text in bench.records.texts("hostile") if text.startswith("child"))
    until(lambda: not alive(child))


def test_a_child_that_keeps_the_channel_and_the_log_open_does_not_hide_the_end(bench, neighbour):
    body = "import time\n        if os.fork() == 0: os.setsid(); time.sleep(20); os._exit(0)\n        os._exit(5)"
    assert "exit status 5" in recovered(bench, attack(bench, neighbour, hostile(body)), "crashed")


def test_a_crash_while_idle_is_noticed_without_an_event(bench, neighbour):
    body = "import threading; threading.Timer(0.1, lambda: os._exit(9)).start()"
    assert "exit status 9" in recovered(bench, attack(bench, neighbour, hostile(body)), "crashed")


def test_the_output_is_safe_while_a_crashed_function_is_down(bench, neighbour):
    body = "context.pins['led'].value = True; os._exit(1)"
    recovered(bench, attack(bench, neighbour, hostile(body), LED), "crashed")
    assert bench.hardware.levels("led")[:2] == [True, False]


def test_events_wait_while_the_function_is_down_and_none_is_handled_twice(bench, neighbour):
    code = hostile("os._exit(1)")
    bench.run(bench.function(code, "hostile"), neighbour)
    for data in ("attack", "b", "c", "attack", "d"):
        bench.offer("hostile", data)
    done = bench.records.wait("decision", 3, function="hostile")
    assert [r["event"] for r in done] == ["hostile-2", "hostile-3", "hostile-5"]
    assert bench.health("hostile").crashes == 2


def test_a_full_queue_drops_the_oldest_and_counts_it(bench, neighbour):
    gate = bench.shared("gate")
    code = (
        f"import os, time\ndef handler(event, context):\n    while not os.path.getsize({str(gate)!r}): time.sleep(0.01)"
    )
    bench.run(bench.function(code, "hostile", toml='timeout = "60s"'), neighbour)
    bench.offer("hostile")
    until(lambda: bench.health("hostile").events == 1)
    for _ in range(100):
        bench.offer("hostile")
    gate.write_text("open")
    done = bench.records.wait("decision", 65, function="hostile")
    assert bench.health("hostile").dropped == 36
    assert [r["event"] for r in done] == ["hostile-1", *(f"hostile-{n}" for n in range(38, 102))]
    assert any("36 events dropped" in text for text in bench.records.texts("hostile"))


def test_a_call_dropped_from_a_full_queue_is_told(bench, neighbour):
    bench.run(bench.function("import time\ndef handler(event, context): time.sleep(3600)", "hostile"), neighbour)
    bench.offer("hostile")
    until(lambda: bench.health("hostile").events == 1)
    told = []

    def call():
        try:
            bench.supervisor.call("hostile", None)
        except LamplightError as error:
            told.append(str(error))

    caller = threading.Thread(target=call)
    caller.start()
    until(lambda: bench.offer("hostile") or told)
    caller.join()
    assert "queue was full" in told[0]


def test_a_hung_import_is_refused_in_bounded_time(tmp_path):
    impatient = Bench(tmp_path, Policy(warm=1))
    with pytest.raises(RejectedError, match="importing"):
        impatient.supervisor.check(impatient.generation(impatient.function("while True: pass")))
    impatient.supervisor.close()


def test_a_function_that_cannot_open_its_pin_is_tried_again(bench, neighbour):
    held = bench.hardware.output("led")
    bench.supervisor.switch(
        bench.generation(neighbour, bench.function("def handler(e, c): return e.data", "hostile", toml=LED))
    )
    assert "busy" in bench.records.wait("worker", function="hostile", what="crashed")[0]["detail"]
    assert bench.health("hostile").state in ("backoff", "starting")
    held.close()
    assert bench.supervisor.call("hostile", "peace") == "peace"
