"""The tables of triggers: what each takes, up to its bounds, and when two triggers are the same."""

import pytest

from device.protocol import triggers
from device.protocol.errors import ProtocolError
from device.protocol.triggers import (
    CronTrigger,
    FileTrigger,
    FunctionTrigger,
    GpioTrigger,
    HttpTrigger,
    MqttTrigger,
    SensorTrigger,
    StartTrigger,
    TimerTrigger,
)

LEAST = [
    ({"type": "start"}, StartTrigger(), "start"),
    ({"type": "timer", "every": "10ms"}, TimerTrigger(0.01), "timer"),
    ({"type": "cron", "schedule": "* * * * *"}, CronTrigger("* * * * *", ""), "cron * * * * *"),
    (
        {"type": "sensor", "sensor": "light"},
        SensorTrigger("light", 1.0, 1, None, None, None),
        "sensor light",
    ),
    ({"type": "gpio", "pin": "b"}, GpioTrigger("b", "both", 0.01, ""), "gpio b"),
    ({"type": "mqtt", "topic": "a/+/#"}, MqttTrigger("a/+/#"), "mqtt a/+/#"),
    ({"type": "http", "path": "/x"}, HttpTrigger("/x", ("GET", "POST"), 65536, ()), "http /x"),
    ({"type": "file", "folder": "in"}, FileTrigger("in", "*", False), "file in"),
    ({"type": "function", "function": "f"}, FunctionTrigger("f"), "function f"),
]
FULL = [
    (
        {"type": "cron", "schedule": " 30  7 * * MON-FRI ", "zone": "America/Port-au-Prince"},
        CronTrigger("30 7 * * MON-FRI", "America/Port-au-Prince"),
    ),
    (
        {"type": "cron", "schedule": "*/5 0,12 L 1 5#2", "zone": "Etc/GMT+1"},
        CronTrigger("*/5 0,12 L 1 5#2", "Etc/GMT+1"),
    ),
    (
        {"type": "sensor", "sensor": "light", "every": "2s", "window": 4096, "above": 5, "below": 5},
        SensorTrigger("light", 2.0, 4096, 5, 5),
    ),
    ({"type": "sensor", "sensor": "light", "delta": 0.5}, SensorTrigger("light", delta=0.5)),
    (
        {"type": "gpio", "pin": "b", "edge": "rising", "debounce": "1s", "pull": "up"},
        GpioTrigger("b", "rising", 1.0, "up"),
    ),
    ({"type": "mqtt", "topic": "a/b/c/d/e/f/g/h"}, MqttTrigger("a/b/c/d/e/f/g/h")),
    (
        {"type": "http", "path": "/a/*", "methods": ["PUT", "GET"], "limit": "1K", "origins": ["*", "null"]},
        HttpTrigger("/a/*", ("GET", "PUT"), 1024, ("*", "null")),
    ),
    (
        {"type": "file", "folder": "in", "match": "*.jpg", "initial": True},
        FileTrigger("in", "*.jpg", True),
    ),
]


@pytest.mark.parametrize(("table", "expected", "told"), LEAST, ids=lambda each: str(each)[:30])
def test_all_but_the_subject_has_a_default(table, expected, told):
    read = triggers.trigger(table)
    assert (read, str(read)) == (expected, told)


@pytest.mark.parametrize(("table", "expected"), FULL, ids=lambda each: str(each)[:30])
def test_every_key_is_read(table, expected):
    assert triggers.trigger(table) == expected


def test_the_kinds_are_those_of_the_table_of_readers():
    assert sorted(table["type"] for table, _, _ in LEAST) == list(triggers.KINDS)


@pytest.mark.parametrize("table", [each for each, _, _ in LEAST], ids=lambda each: each["type"])
def test_a_key_of_another_trigger_is_refused(table):
    with pytest.raises(ProtocolError, match="unknown key 'colour'"):
        triggers.trigger({**table, "colour": "red"})


def test_triggers_with_the_same_fields_are_equal_and_go_on_at_a_deployment():
    every, _, _ = zip(*LEAST, strict=True)
    made = [triggers.trigger(each) for each in every]
    assert made == [triggers.trigger(each) for each in every]
    assert len({*made, *(triggers.trigger(each) for each in every)}) == len(LEAST)
    assert TimerTrigger(1.0) != TimerTrigger(2.0)
    assert TimerTrigger(1.0) != "timer"
    assert MqttTrigger("a") != FunctionTrigger("a")


@pytest.mark.parametrize(
    ("origin", "sent"),
    [
        ("https://Shop.Example.ORG", "https://shop.example.org"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("https://" + "a" * 200, "https://" + "a" * 200),
    ],
)
def test_an_origin_is_kept_as_a_browser_sends_it(origin, sent):
    read = triggers.trigger({"type": "http", "path": "/x", "origins": [origin]})
    assert isinstance(read, HttpTrigger)
    assert read.origins == (sent,)


@pytest.mark.parametrize(
    "origin",
    ["", "shop.example.org", "ftp://x", "https://", "https://x/path", "https://a b", "https://" + "a" * 201, "**", 7],
)
def test_anything_else_is_no_origin(origin):
    with pytest.raises(ProtocolError, match="no web page's origin"):
        triggers.trigger({"type": "http", "path": "/x", "origins": [origin]})


def test_so_many_origins_and_no_more():
    table = {"type": "http", "path": "/x", "origins": ["*"] * 20}
    assert triggers.trigger(table) == HttpTrigger("/x", origins=("*",) * 20)
    with pytest.raises(ProtocolError, match="at most 20"):
        triggers.trigger({**table, "origins": ["*"] * 21})


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/", "/A-b._~/9", "/a/*", "/" + "a" * 199, "/...", "/.well-known/x", "/*"]
)
def test_a_path_is_taken(path):
    assert triggers.trigger({"type": "http", "path": path}) == HttpTrigger(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "*",
        "/a*",
        "/*/a",
        "//",
        "/a//b",
        "/a//*",
        "//*",
        "/.",
        "/a/..",
        "/a/../b",
        "/a b",
        "/é",
        "/a?b",
        "/a /*",
        "/é/*",
        "/../*",
        "/" + "a" * 200,
    ],
)
def test_any_other_path_is_refused(path):
    with pytest.raises(ProtocolError, match="is not a path"):
        triggers.trigger({"type": "http", "path": path})


@pytest.mark.parametrize("methods", [[], ["GET", "GET"], ["get"], ["GET", "BREW"], [{}], [None]])
def test_methods_are_known_ones_each_once(methods):
    with pytest.raises(ProtocolError, match="methods"):
        triggers.trigger({"type": "http", "path": "/x", "methods": methods})


@pytest.mark.parametrize("limit", ["0K", "17M", "16385K", "64", "K", "1G", "-1K", "0M"])
def test_a_limit_is_from_one_kilobyte_to_16_megabytes(limit):
    assert triggers.trigger({"type": "http", "path": "/x", "limit": "64K"}) == HttpTrigger("/x", limit=65536)
    assert triggers.trigger({"type": "http", "path": "/x", "limit": "16M"}) == HttpTrigger("/x", limit=16 << 20)
    with pytest.raises(ProtocolError, match="limit"):
        triggers.trigger({"type": "http", "path": "/x", "limit": limit})


@pytest.mark.parametrize("schedule", ["* * * *", "* * * * * *", "", "* * * * é", "* * * * $", "0" * 193 + " * * * *"])
def test_a_schedule_is_of_five_fields(schedule):
    with pytest.raises(ProtocolError, match="not of five fields"):
        triggers.trigger({"type": "cron", "schedule": schedule})
    assert triggers.trigger({"type": "cron", "schedule": "0" * 192 + " * * * *"})


@pytest.mark.parametrize("zone", ["a b", "../x\n", "é", "x" * 65])
def test_a_zone_is_a_name_of_one(zone):
    assert triggers.trigger({"type": "cron", "schedule": "* * * * *", "zone": "x" * 64})
    with pytest.raises(ProtocolError, match="not a time zone"):
        triggers.trigger({"type": "cron", "schedule": "* * * * *", "zone": zone})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"above": 1}, "go together"),
        ({"below": 1}, "go together"),
        ({"above": 1, "below": 2}, "less than below"),
        ({"above": 2, "below": 1, "delta": 1}, "either"),
        ({"delta": 0}, "more than zero"),
        ({"delta": -1}, "more than zero"),
        ({"window": 0}, "between 1 and 4096"),
        ({"window": 4097}, "between 1 and 4096"),
        ({"every": "9ms"}, "at least 10ms"),
        ({"sensor": "../x"}, r"sensor: .* not a name"),
    ],
)
def test_readings_are_asked_for_in_one_way(fields, words):
    with pytest.raises(ProtocolError, match=words):
        triggers.trigger({"type": "sensor", "sensor": "light", **fields})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pin": "B 1"}, r"pin: .* not a name"),
        ({"edge": "up"}, "none of rising, falling, both"),
        ({"edge": ""}, "none of rising"),
        ({"pull": "both"}, "none of up, down"),
        ({"debounce": "1001ms"}, "at most 1s"),
    ],
)
def test_an_edge_is_asked_for_in_one_way(fields, words):
    with pytest.raises(ProtocolError, match=words):
        triggers.trigger({"type": "gpio", "pin": "b", **fields})


@pytest.mark.parametrize("topic", ["", "/a", "a/", "#/a", "a/#/b", "a+", "+a", "A", "a/" * 8 + "a"])
def test_a_topic_is_of_names_and_open_levels(topic):
    with pytest.raises(ProtocolError, match=r"triggers\.topic"):
        triggers.trigger({"type": "mqtt", "topic": topic})


@pytest.mark.parametrize("match", ["", "a/b", "x" * 201])
def test_a_pattern_is_one_of_file_names(match):
    assert triggers.trigger({"type": "file", "folder": "in", "match": "x" * 200}) == FileTrigger("in", "x" * 200)
    with pytest.raises(ProtocolError, match="pattern"):
        triggers.trigger({"type": "file", "folder": "in", "match": match})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"type": "file", "folder": "../in"}, r"folder: .* not a name"),
        ({"type": "file", "folder": "in", "initial": 1}, r"initial: expected true or false"),
        ({"type": "function", "function": "F"}, r"function: .* not a name"),
        ({"type": "moon"}, "known are cron, file, function"),
        ({}, "type: expected a string"),
        (None, "expected a table"),
    ],
)
def test_a_wrong_key_is_named(table, words):
    with pytest.raises(ProtocolError, match=rf"^function\.toml\.triggers.*{words}"):
        triggers.trigger(table)
