"""What the supervisor says of its outputs, beside what their lines really have, whatever happens to the function."""

import os
import signal
from dataclasses import replace

import pytest
from fake_hardware import FakeHardware
from runtime_bench import QUICK, Bench, until

from device.errors import LamplightError
from device.hal.errors import PinBusyError

# Sets the pin to the data that it is called with; "die" ends the worker by its own hand.
SETTER = """
import os, threading, time
def handler(event, context):
    relay = context.pins["relay"]
    if event.data == "die":
        relay.value = True
        os._exit(3)
    if event.data == "raise":
        relay.value = True
        raise ValueError("after")
    if event.data == "later":
        threading.Timer(0.05, lambda: setattr(relay, "value", True)).start()
    elif event.data == "hold":
        relay.value = True
        time.sleep(60)
    elif event.data == "flicker":
        for number in range(1000):
            relay.value = number % 2 == 0
    else:
        relay.value = event.data
"""
RELAY = 'timeout = "120s"\n[pins.relay]\nsafe = {}\n'


class Hardware(FakeHardware):
    """A board whose pins have other names."""

    def __init__(self, folder):
        super().__init__(folder)
        self.board = self.board.__class__(**{**vars(self.board), "pins": {"relay": self.board.pins["led"]}})


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, replace(QUICK, rest=0.5), Hardware(tmp_path))
    yield bench
    bench.supervisor.close()


def level(bench):
    output = bench.supervisor.outputs().get("relay")
    return output.level if output else "not held"


def line(bench):
    return bench.hardware.levels("relay")[-1]


@pytest.mark.parametrize("safe", [False, True])
def test_the_level_is_known_from_the_start_and_at_each_change(bench, safe):
    bench.run(bench.function(SETTER, toml=RELAY.format(str(safe).lower())))
    assert level(bench) is safe
    for driven in (True, False, 1, ""):
        bench.supervisor.call("f", driven)
        assert level(bench) is bool(driven) is line(bench)


@pytest.mark.parametrize("data", ["raise", "later"])
def test_a_level_that_was_set_before_an_error_or_after_the_event_is_known(bench, data):
    bench.run(bench.function(SETTER, toml=RELAY.format("false")))
    try:
        bench.supervisor.call("f", data)
    except LamplightError:
        pass
    until(lambda: level(bench) is True, "the level is known")
    assert line(bench) is True


def test_a_level_is_known_while_the_handler_goes_on(bench):
    bench.run(bench.function(SETTER, toml=RELAY.format("false")))
    bench.offer("f", "hold")
    until(lambda: level(bench) is True, "the level is known")


@pytest.mark.parametrize("safe", [False, True])
def test_after_a_crash_the_safe_level_is_told(bench, safe):
    bench.run(bench.function(SETTER, toml=RELAY.format(str(safe).lower())))
    bench.supervisor.call("f", not safe)
    with pytest.raises(LamplightError):
        bench.supervisor.call("f", "die")
    until(lambda: level(bench) is safe, "the safe level is told")
    assert line(bench) is safe


def test_after_a_kill_of_worker_or_zygote_the_safe_level_is_told(bench):
    bench.run(bench.function(SETTER, toml=RELAY.format("false")))
    for victim in (lambda: bench.worker("f"), lambda: bench.supervisor._zygotes.pid):
        until(lambda: bench.health().state == "running", "running")
        bench.supervisor.call("f", True)
        assert level(bench) is True
        os.kill(victim(), signal.SIGKILL)
        until(lambda: level(bench) is False, "the safe level is told")
        assert line(bench) is False


def test_after_a_lost_sensor_the_safe_level_is_told(bench):
    trigger = 'sensors = ["light"]\n[[triggers]]\ntype = "sensor"\nsensor = "light"\n'
    toml = trigger + "[pins.relay]\nsafe = false\n"
    bench.run(bench.function("def handler(event, context): context.pins['relay'].value = True", toml=toml))
    until(lambda: level(bench) is True, "lit by a reading")
    bench.hardware.light("unplugged")
    until(lambda: level(bench) is False, "the safe level is told")
    assert line(bench) is False


def test_a_removed_function_leaves_its_output_unknown_and_the_records_say_that_it_went_off(bench):
    bench.run(bench.function(SETTER, toml=RELAY.format("false")))
    bench.supervisor.call("f", True)
    bench.run()
    assert level(bench) == "not held"
    records = [(r["before"], r["level"]) for r in bench.records.of("output", pin="relay")]
    assert records == [(None, False), (False, True), (True, False), (False, None)]


def test_a_new_version_takes_the_level_over_without_a_change(bench):
    bench.run(bench.function(SETTER, toml=RELAY.format("false")))
    bench.supervisor.call("f", True)
    before = bench.supervisor.outputs()["relay"]
    bench.run(bench.function(SETTER + "# two", version=2, toml=RELAY.format("false")))
    assert bench.supervisor.outputs()["relay"] == before


def test_a_function_that_cannot_start_has_its_output_at_the_safe_level(bench):
    broken = bench.function("import nothing_of_this_name", toml=RELAY.format("true"))
    bench.supervisor.resume(bench.generation(broken))
    assert level(bench) is True is line(bench)


def test_what_cannot_be_put_to_rest_is_unknown(bench):
    bench.run(bench.function(SETTER, toml=RELAY.format("false")))
    bench.supervisor.call("f", True)
    held = unruly(bench)
    try:
        bench.run()
    finally:
        held()
    assert [r["level"] for r in bench.records.of("output", pin="relay")][-1] is None
    assert not any(r["level"] is False for r in bench.records.of("output", pin="relay", before=True))


def unruly(bench):
    """Have another process's hold on the line outlive the worker; gives what lets it go."""
    real = bench.hardware.rest

    def refuse(pin, level):
        raise PinBusyError(f"pin {pin!r} is busy", "another process holds it")

    bench.hardware.rest = refuse
    return lambda: setattr(bench.hardware, "rest", real)


def test_a_handler_that_toggles_without_end_is_a_few_records(bench):
    bench.run(bench.function(SETTER, toml=RELAY.format("false")))
    bench.supervisor.call("f", "flicker")
    until(lambda: bench.supervisor.outputs() and bench.records.of("output")[-1]["level"] is False, "the last is told")
    assert level(bench) is False is line(bench)
    assert len(bench.records.of("output")) < 200


def test_a_hostile_worker_has_a_say_about_its_own_outputs_only(bench):
    code = """
    import socket
    def handler(event, context):
        for pin in ("led", "relay", "", "x" * 1000):
            context._send({"is": "drives", "pin": pin, "level": True})
    """
    bench.run(bench.function(SETTER, "owner", toml=RELAY.format("false")), bench.function(code, "hostile"))
    bench.supervisor.call("hostile", None)
    assert list(bench.supervisor.outputs()) == ["relay"]
    assert level(bench) is False
