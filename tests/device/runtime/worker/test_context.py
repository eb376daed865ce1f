"""What a handler finds in its context, in a real worker."""

import pytest

from device.errors import LamplightError

LED = """
sensors = ["light"]
[pins.led]
safe = false
"""


def run(bench, body, toml="", config=None, data=None):
    code = f"import logging, os, time\ndef handler(event, context):\n    {body}\n"
    bench.run(bench.function(code, toml=toml, config=config))
    return bench.supervisor.call("f", data)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("context.pins['lamp'].value = True", r"\[pins.lamp\]"),
        ("context.sensors['heat'].lux", r'sensors = \["heat"\]'),
        ("context.models['cat'].run([])", r'models = \["cat"\]'),
    ],
)
def test_what_was_not_leased_names_the_line_for_function_toml(bench, body, says):
    with pytest.raises(LamplightError, match=says) as caught:
        run(bench, body, LED)
    assert "main.py:3" in str(caught.value)


def test_pins_and_sensors_can_be_listed(bench):
    assert run(bench, "return [list(context.pins), list(context.sensors)]", LED) == [["led"], ["light"]]


def test_a_sensor_is_read(bench):
    bench.hardware.light(321.5)
    body = "s = context.sensors['light']; return [s.lux, s.read().saturated]"
    assert run(bench, body, LED) == [321.5, False]


def test_a_sensor_that_fails_is_an_error_that_a_handler_can_see(bench):
    bench.hardware.light("unplugged")
    with pytest.raises(LamplightError, match="does not answer"):
        run(bench, "return context.sensors['light'].lux", LED)


def test_the_settings_cannot_be_changed(bench):
    with pytest.raises(LamplightError, match="TypeError"):
        run(bench, "context.config['a'] = 2", config={"a": 1})


def test_what_is_known_about_the_event(bench):
    body = "return [context.function, context.version, context.request_id == event.id, 0 < context.remaining() <= 5]"
    assert run(bench, body) == ["f", 1, True, True]


def test_log_print_and_logging_become_records_with_their_level(bench):
    run(bench, "context.log.warning('%d lux', 7); logging.getLogger('lib').error('broken'); print('plain')")
    bench.records.wait("log", text="plain")
    logs = {r["text"]: (r["level"], r["function"], r["version"]) for r in bench.records.of("log")}
    assert logs == {
        "7 lux": ("warning", "f", 1),
        "lib: broken": ("error", "f", 1),
        "plain": ("info", "f", 1),
    }


@pytest.mark.parametrize("mistake", ['publish({"lux": 1}, "rooms/hall")', "publish(None)", 'log.line("fatal", "x")'])
def test_a_mistake_in_a_call_is_an_error_in_the_handler_with_its_line(bench, mistake):
    with pytest.raises(LamplightError, match=r"TypeError|ValueError") as caught:
        run(bench, f"context.{mistake}")
    assert "main.py:3" in str(caught.value)
    assert bench.health().restarts == 0


def test_publish_becomes_a_record(bench):
    run(bench, "context.publish('door', {'open': True})")
    (record,) = bench.records.wait("publish")
    assert record["topic"] == "door" and record["data"] == {"open": True} and record["stream"] == "events"


@pytest.mark.parametrize("data", ["{1j}", "float('inf')", "'x' * 200000", "object()"])
def test_publishing_what_cannot_be_sent_says_so(bench, data):
    with pytest.raises(LamplightError, match="cannot publish"):
        run(bench, f"context.publish('t', {data})")


def test_the_working_directory_is_the_functions_own_and_can_be_written(bench):
    body = "open('note', 'w').write('x'); return [os.getcwd(), os.environ['HOME'], os.environ['TMPDIR']]"
    assert run(bench, body) == [str(bench.folder / "scratch" / "run" / "f")] * 3


def test_the_agents_environment_is_not_the_functions(bench, monkeypatch):
    from runtime_bench import Bench

    monkeypatch.setenv("BROKER_PASSWORD", "secret")
    (bench.folder / "second").mkdir()
    second = Bench(bench.folder / "second")
    assert run(second, "return [k for k in os.environ if 'PASSWORD' in k]") == []
    second.supervisor.close()


def test_modules_beside_the_handler_can_be_imported(bench):
    function = bench.function("from helper import double\ndef handler(event, context): return double(event.data)")
    (function.path / "helper.py").write_text("def double(n): return 2 * n")
    bench.run(function)
    assert bench.supervisor.call("f", 21) == 42
    assert not list(function.path.rglob("*.pyc"))
