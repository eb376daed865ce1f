"""Odd values, `async` handlers and files that are called like the agent's own, in a real worker."""

import re

import pytest

from device.errors import LamplightError


def run(bench, code, toml="", data=None, **more):
    """What the function gives for one call; `more` are the texts of its other modules."""
    made = bench.function(code, toml=toml)
    for name, text in more.items():
        (made.path / f"{name}.py").write_text(text)
    bench.run(made)
    return bench.supervisor.call("f", data)


def test_the_function_s_own_names_come_first_and_the_agent_keeps_its_own(bench):
    bench.hardware.light(12.5)
    code = """
        import board, boards, calendar, device, models
        from . import helper
        from lamplight import Context, Event
        def handler(event: Event, context: Context):
            context.pins["led"].value = True
            context.state["seen"] = 1
            who = [each.WHO for each in (board, boards, calendar, device, models, helper)]
            return [set(who), context.sensors["light"].lux]
    """
    names = ("board", "boards", "calendar", "device", "models", "helper")
    toml = 'sensors = ["light"]\n[pins.led]\n'
    assert run(bench, code, toml, **dict.fromkeys(names, "WHO = 'mine'")) == [["mine"], 12.5]


def test_a_function_in_the_field_goes_on_importing_from_the_agent(bench):
    code = "from device.function import Context, Event\ndef handler(e: Event, c: Context): return Event.__name__"
    assert run(bench, code) == "Event"


RETURNED = """
    import dataclasses, datetime, decimal, enum, pathlib, uuid, types
    @dataclasses.dataclass
    class Reading:
        lux: decimal.Decimal
        at: datetime.datetime
    def handler(event, context):
        value = {"reading": Reading(decimal.Decimal("1.50"), datetime.datetime(2026, 1, 2)), "seen": {2, 1},
                 "raw": b"\\x00", "path": pathlib.Path("a"), "settings": context.config}
        context.publish("odd/values", value)
        context.state["kept"] = value
        return [value, context.state["kept"]]
"""


def test_what_has_one_form_in_json_is_returned_published_and_kept(bench):
    form = {
        "reading": {"lux": "1.50", "at": "2026-01-02T00:00:00"},
        "seen": [1, 2],
        "raw": {"base64": "AA=="},
        "path": "a",
        "settings": {"threshold": 5},
    }
    assert run(bench, RETURNED, "[config]\nthreshold = 5") == [form, form]
    assert bench.records.wait("publish")[-1]["data"] == form


OWN = """
    class Room:
        def __json__(self): return {"name": "hall"}
    def handler(event, context):
        context.state["kept"] = 1
        context.pins["led"].value = True
        whole = {"config": context.config, "state": context.state, "pins": context.pins, "sensors": context.sensors,
                 "reading": context.sensors["light"].read(), "room": [Room()]}
        context.publish("own/values", whole)
        return {**whole, "event": event}
"""


def test_the_types_of_our_own_have_a_form_too(bench):
    bench.hardware.light(12.5)
    said = run(bench, OWN, 'sensors = ["light"]\n[config]\nthreshold = 5\n[pins.led]\n', data=[7])
    light = {"lux": 12.5, "saturated": False}
    whole = {"config": {"threshold": 5}, "state": {"kept": 1}, "pins": {"led": True}, "sensors": {"light": light}}
    whole |= {"reading": light, "room": [{"name": "hall"}]}
    event = said.pop("event")
    assert said == whole == bench.records.wait("publish")[-1]["data"]
    assert (event["type"], event["data"], event["id"]) == ("lamplight.call", [7], "f-1")


def test_an_event_with_an_unsendable_result_keeps_no_changes(bench):
    code = """
        def handler(event, context):
            context.state["seen"] = context.state.get("seen", 0) + 1
            return context.state["seen"] if event.data else object()
    """
    with pytest.raises(LamplightError, match="result is of the type object"):
        run(bench, code)
    assert bench.supervisor.call("f", 1) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("return {'readings': [{'at': 1}, {'at': object()}]}", r"result\.readings\[1\]\.at is of the type object"),
        ("return {'mean': float('nan')}", r"result\.mean is NaN"),
        ("context.publish('a', {'b': [1j]})", r"data\.b\[0\] is of the type complex"),
        ("context.state['a'] = {'b': print}", r"context\.state\['a'\]\.b is of the type"),
    ],
)
def test_the_rest_names_the_place(bench, line, said):
    with pytest.raises(LamplightError, match=said):
        run(bench, f"def handler(event, context):\n    {line}\n")
    assert bench.health().state == "running"


ASYNC = """
    import asyncio
    seen = []
    async def one(number):
        await asyncio.sleep(0.01)
        seen.append(number)
        return number
    async def handler(event, context):
        context.state["count"] = context.state.get("count", 0) + 1
        if event.data == "fail":
            raise ValueError("not today")
        if event.data == "long":
            await asyncio.sleep(60)
        thread = await asyncio.to_thread(sum, [1, 2])
        return [*await asyncio.gather(one(1), one(2)), thread, context.state["count"]]
"""


def test_an_async_handler_is_run_one_event_after_the_other(bench):
    assert run(bench, ASYNC) == [1, 2, 3, 1]
    assert bench.supervisor.call("f", None) == [1, 2, 3, 2]
    with pytest.raises(LamplightError, match=r"(?s)ValueError: not today.*main\.py:\d+ in handler"):
        bench.supervisor.call("f", "fail")
    # What the failed event changed was dropped.
    assert bench.supervisor.call("f", None) == [1, 2, 3, 3]


def test_its_deadline_is_that_of_any_handler(bench):
    run(bench, ASYNC, 'timeout = "500ms"')
    with pytest.raises(LamplightError, match=r"within 0\.5 s"):
        bench.supervisor.call("f", "long")
    bench.records.wait("worker", what="started", count=2)
    assert bench.supervisor.call("f", None)[:3] == [1, 2, 3]


@pytest.mark.parametrize(
    "code",
    [
        "async def inner(e, c): return 7\nimport functools\nhandler = functools.partial(inner)",
        "class H:\n    async def __call__(self, e, c): return 7\nhandler = H()",
        "async def inner(e, c): return 7\ndef handler(e, c): return inner(e, c)",
    ],
)
def test_whatever_gives_a_coroutine_is_run(bench, code):
    assert run(bench, code) == 7


def test_an_async_migration_is_run(bench):
    before = bench.function("def handler(e, c): c.state['a'] = 1", version=1)
    bench.run(before)
    bench.supervisor.call("f", None)
    code = """
        async def migrate(state, schema): state["a"] = [state["a"]]
        async def handler(e, c): return c.state["a"]
    """
    bench.run(bench.function(code, version=2, toml='[state]\nschema = 2\nmigrate = "main:migrate"'))
    assert bench.supervisor.call("f", None) == [1]


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("import requests_toolbelt", "write requests_toolbelt into requirements.txt"),
        ("import yaml_not_here, os", "write yaml_not_here into requirements.txt"),
        ("import paho.mqtt.client", "write paho-mqtt into requirements.txt"),
        ("import hlper", "did you mean 'helper'"),
        ("open('data.csv')", "beside its code"),
        ("import socket; socket.create_connection(('192.0.2.1', 80), 1)", "`network = true`"),
        ("import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=1)", "`network = true`"),
        ("import urllib.request; urllib.request.urlopen('http://example.invalid/', timeout=1)", "`network = true`"),
    ],
)
def test_an_error_names_what_most_likely_cures_it(bench, line, cure):
    with pytest.raises(LamplightError) as failed:
        run(bench, f"def handler(event, context):\n    {line}\n", helper="")
    assert cure in str(failed.value)


def test_an_error_of_a_file_is_not_blamed_on_the_network(bench):
    with pytest.raises(LamplightError) as failed:
        run(bench, "def handler(event, context):\n    open('/etc/shadow')\n")
    assert "network" not in str(failed.value)


def test_functions_that_start_each_other_are_stopped_counted_and_named_in_the_logs_of_all(bench):
    code = "def handler(event, context): context.publish('{}', 1); return event.hops"
    toml = '[[triggers]]\ntype = "mqtt"\ntopic = "{}"\n'
    first = bench.function(code.format("b"), "f", toml=toml.format("a"))
    second = bench.function(code.format("a"), "g", toml=toml.format("b"))
    bench.run(first, second)
    bench.supervisor.call("f", None)
    for name, circle in (("f", "/f → [a-z-]*/g → [a-z-]*/f"), ("g", "/g → [a-z-]*/f → [a-z-]*/g")):
        (told,) = bench.records.wait("log", function=name, level="warning")
        assert re.search(f"{circle} start each other without end: stopped after 16", told["text"])
        assert bench.health(name).circles == 1
    assert bench.health("f").events + bench.health("g").events == 17
