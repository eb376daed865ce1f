"""function.toml: what they may say, and the words for what they may not."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol import manifest, model_manifest
from device.protocol.errors import ProtocolError
from tests.device.protocol.strategies import values

NIGHT_LIGHT = """
name = "night-light"
handler = "main:handler"
memory = "32M"
timeout = "2s"
models = ["presence"]
[[triggers]]
type = "sensor"
sensor = "light"
every = "200ms"
window = 8
[pins.led]
direction = "out"
safe = true
[config]
threshold = 100
"""


def function(text):
    return manifest.function(tomllib.loads(text))


def test_the_example_of_the_documentation_is_read():
    made = function(NIGHT_LIGHT)
    assert (made.name, made.module, made.attribute) == ("night-light", "main", "handler")
    assert (made.memory, made.timeout) == (32 * 1024 * 1024, 2.0)
    (trigger,) = made.triggers
    assert (trigger.kind, trigger.sensor, trigger.every, trigger.window) == ("sensor", "light", 0.2, 8)
    assert (made.pins["led"].direction, made.pins["led"].safe) == ("out", True)
    assert (made.sensors, made.models, made.config) == (["light"], ["presence"], {"threshold": 100})


def test_everything_but_name_and_handler_has_a_default():
    made = function('name = "a"\nhandler = "a.b:c"')
    assert (made.memory, made.timeout, made.triggers, made.pins) == (64 * 1024 * 1024, 5.0, [], {})
    assert (made.processes, made.scratch, made.network, made.cpu) == (16, 16 * 1024 * 1024, False, None)
    assert not made.record_calls


WRONG_FUNCTIONS = [
    ("", "handler"),
    ('handler = "main:h"', "name"),
    ('name = "A"\nhandler = "main:h"', "not a name"),
    ('name = "a"\nhandler = "main"', "module:function"),
    ('name = "a"\nhandler = "../x:h"', "module:function"),
    ('name = "a"\nhandler = "main:h()"', "module:function"),
    ('name = "a"\nhandler = ".main:h"', "module:function"),
    ('name = "a"\nhandler = "m:h"\nruntime = "perl"', "runtime"),
    ('name = "a"\nhandler = "m:h"\nmemory = "32"', "memory"),
    ('name = "a"\nhandler = "m:h"\nmemory = 32', "memory"),
    ('name = "a"\nhandler = "m:h"\nscratch = "16"', "scratch"),
    ('name = "a"\nhandler = "m:h"\nscratch = 16', "scratch"),
    ('name = "a"\nhandler = "m:h"\nprocesses = 0', "processes"),
    *(
        (f'name = "a"\nhandler = "m:h"\ncpu = {share}', "cpu")
        for share in ('"0%"', '"6401%"', '"-5%"', '"25"', "25", '"1e9%"')
    ),
    ('name = "a"\nhandler = "m:h"\nprocesses = 1025', "processes"),
    ('name = "a"\nhandler = "m:h"\nprocesses = true', "processes"),
    ('name = "a"\nhandler = "m:h"\nnetwork = "yes"', "network"),
    ('name = "a"\nhandler = "m:h"\nrecord_calls = 1', "record_calls"),
    ('name = "a"\nhandler = "m:h"\nmemory = "0M"', "memory"),
    ('name = "a"\nhandler = "m:h"\nmemory = "²M"', "memory"),
    ('name = "a"\nhandler = "m:h"\ntimeout = "2"', "timeout"),
    ('name = "a"\nhandler = "m:h"\ntimeout = "-2s"', "timeout"),
    ('name = "a"\nhandler = "m:h"\ntimeout = "0s"', "timeout"),
    ('name = "a"\nhandler = "m:h"\ntimeout = "²s"', "timeout"),
    ('name = "a"\nhandler = "m:h"\ntimeout = "' + "9" * 5000 + 's"', "timeout"),
    ('name = "a"\nhandler = "m:h"\ncolour = "red"', "unknown key 'colour'"),
    ('name = "a"\nhandler = "m:h"\n[[triggers]]\ntype = "moon"', "unknown trigger 'moon'"),
    ('name = "a"\nhandler = "m:h"\n[[triggers]]\ntype = "timer"', "every"),
    ('name = "a"\nhandler = "m:h"\n[[triggers]]\ntype = "timer"\nevery = "1ms"', "at least 10ms"),
    ('name = "a"\nhandler = "m:h"\n[[triggers]]\ntype = "sensor"', "sensor"),
    ('name = "a"\nhandler = "m:h"\n[[triggers]]\ntype = "start"\nevery = "1s"', "unknown key 'every'"),
    ('name = "a"\nhandler = "m:h"\n[[triggers]]\ntype = "sensor"\nsensor = "l"\nwindow = 0', "window"),
    *(
        (f'name = "a"\nhandler = "m:h"\n[[triggers]]\n{keys}', words)
        for keys, words in [
            ('type = "cron"', "schedule"),
            ('type = "cron"\nschedule = "* * * *"', "five fields"),
            ('type = "cron"\nschedule = "* * * * ;"', "five fields"),
            ('type = "cron"\nschedule = "* * * * *"\nzone = "a b"', "time zone"),
            ('type = "sensor"\nsensor = "l"\nabove = 5', "go together"),
            ('type = "sensor"\nsensor = "l"\nabove = 5\nbelow = 6', "less than below"),
            ('type = "sensor"\nsensor = "l"\ndelta = 0', "more than zero"),
            ('type = "sensor"\nsensor = "l"\ndelta = 1\nabove = 2\nbelow = 1', "either"),
            ('type = "gpio"\npin = "b"\nedge = "up"', "edge"),
            ('type = "gpio"\npin = "b"\ndebounce = "2s"', "at most 1s"),
            ('type = "mqtt"\ntopic = "a/#/b"', "not a name"),
            ('type = "mqtt"\ntopic = "a/b/c/d/e/f/g/h/i"', "8 levels"),
            ('type = "http"\npath = "lamp"', "not a path"),
            ('type = "http"\npath = "/../x"', "not a path"),
            ('type = "http"\npath = "/x"\nmethods = ["BREW"]', "methods"),
            ('type = "http"\npath = "/x"\nmethods = []', "methods"),
            ('type = "http"\npath = "/x"\nlimit = "17M"', "limit"),
            ('type = "file"\nfolder = "../etc"', "not a name"),
            ('type = "file"\nfolder = "a"\nmatch = "../*"', "pattern"),
            ('type = "function"', "function"),
        ]
    ),
    ('name = "a"\nhandler = "m:h"\n[buses.i2c]\nspeed = 1', "unknown key 'speed'"),
    ('name = "a"\nhandler = "m:h"\n[buses]\ni2c = 1', "buses.i2c"),
    ('name = "a"\nhandler = "m:h"\n[pins.led]\ndirection = "up"', "direction"),
    ('name = "a"\nhandler = "m:h"\n[pins.led]\nsafe = 1', "safe"),
    ('name = "a"\nhandler = "m:h"\n[pins.LED]', "not a name"),
    ('name = "a"\nhandler = "m:h"\nmodels = "presence"', "models"),
    ('name = "a"\nhandler = "m:h"\nconfig = 1', "config"),
    ('name = "a"\nhandler = "m:h"\ninstances = 0', "between 1 and 16"),
    ('name = "a"\nhandler = "m:h"\ninstances = true', "whole number"),
    ('name = "a"\nhandler = "m:h"\ninstances = 2\n[pins.led]', r"2 workers cannot drive one pin \(led\)"),
    ('name = "a"\nhandler = "m:h"\nqueue = 0', "between 1 and 1024"),
    ('name = "a"\nhandler = "m:h"\nqueue = "64"', "whole number"),
    ('name = "a"\nhandler = "m:h"\noverflow = "explode"', "known are drop-oldest, drop-newest, block"),
    ('name = "a"\nhandler = "m:h"\n[config]\nday = 2026-01-01', r"config: .* is not a text, number"),
    ('name = "a"\nhandler = "m:h"\n[config]\nx = [inf]', "finite"),
]


@pytest.mark.parametrize(("text", "words"), WRONG_FUNCTIONS)
def test_a_wrong_function_is_refused_with_the_key(text, words):
    with pytest.raises(ProtocolError, match=words):
        function(text)


KEYS = st.sampled_from(["name", "handler", "memory", "timeout", "triggers", "pins", "sensors", "models", "config"])
BOUNDS = st.sampled_from(["instances", "queue", "overflow"])
GOOD = {"name": "a", "handler": "main:handler"}


@pytest.mark.parametrize("read", [manifest.function, model_manifest.model])
@given(table=values | st.dictionaries(KEYS | BOUNDS | st.just("inputs"), values).map(lambda fields: {**GOOD, **fields}))
def test_any_other_table_gives_a_protocol_error_and_nothing_worse(read, table):
    try:
        read(table)
    except ProtocolError:
        pass


FULL = """
name = "a"
handler = "pkg.main:h"
runtime = "python3"
memory = "1M"
timeout = "2s"
sensors = ["rain", "light"]
models = ["m", "n"]
instances = 16
queue = 1024
overflow = "block"
processes = 1024
scratch = "65536M"
network = true
cpu = "150%"
record_calls = true
[[triggers]]
type = "sensor"
sensor = "light"
[pins.button]
direction = "in"
[buses.i2c]
[buses.spi]
[state]
schema = 999999
size = "2M"
migrate = "pkg.old:up"
[environment]
LEVEL = "debug"
[config]
x = 1
"""


def test_every_key_of_a_function_is_read():
    made = vars(function(FULL))
    state, pins, triggers = vars(made.pop("state")), made.pop("pins"), made.pop("triggers")
    assert made.pop("cloud") is not None
    assert state == {"schema": 999999, "size": 2 * manifest.MIB, "migrate": ("pkg.old", "up")}
    assert {name: vars(pin) for name, pin in pins.items()} == {"button": {"direction": "in", "safe": False}}
    assert [str(each) for each in triggers] == ["sensor light"]
    assert made == {
        "name": "a",
        "module": "pkg.main",
        "attribute": "h",
        "runtime": "python3",
        "environment": {"LEVEL": "debug"},
        "memory": manifest.MIB,
        "timeout": 2.0,
        "sensors": ["light", "rain"],
        "models": ["m", "n"],
        "instances": 16,
        "queue": 1024,
        "overflow": "block",
        "processes": 1024,
        "scratch": 65536 * manifest.MIB,
        "network": True,
        "cpu": 1.5,
        "record_calls": True,
        "buses": ("i2c", "spi"),
        "config": {"x": 1},
    }


def test_the_defaults_of_what_waits_and_what_is_kept():
    made = function('name = "a"\nhandler = "m:h"\n[pins.led]')
    assert (made.instances, made.queue, made.overflow, made.buses) == (1, 64, "drop-oldest", ())
    assert (made.sensors, made.models, made.config) == ([], [], {})
    assert vars(made.state) == {"schema": 1, "size": manifest.MIB, "migrate": ("", "")}
    assert vars(made.pins["led"]) == {"direction": "out", "safe": False}


@pytest.mark.parametrize(("share", "processors"), [("1%", 0.01), ("25%", 0.25), ("6400%", 64.0)])
def test_a_share_is_of_one_processor(share, processors):
    assert function(f'name = "a"\nhandler = "m:h"\ncpu = "{share}"').cpu == processors


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[state]\nschema = 0", r"state\.schema: 0 is not between 1 and 999999"),
        ("[state]\nschema = 1000000", r"state\.schema"),
        ('[state]\nsize = "2"', r"state\.size"),
        ('[state]\nsize = "65537M"', r"state\.size"),
        ('[state]\nmigrate = "up"', r"state\.migrate: 'up' is not of the form"),
        ("[state]\nmigrate = 1", r"state\.migrate: expected a string"),
        ("[state]\nmore = 1", "state: unknown key"),
        ("state = 1", "state: expected a table"),
        ('memory = "65537M"', r"memory: .* is not a size; write '64M'"),
        ("instances = 17", "instances: 17 is not between 1 and 16"),
        ("queue = 1025", "queue: 1025 is not between 1 and 1024"),
        ('sensors = ["Light"]', "sensors: .* is not a name"),
        ('models = ["../m"]', "models: .* is not a name"),
        ("[buses.I2C]", "buses: .* is not a name"),
        ("[pins.led]\nlevel = 1", r"pins\.led: unknown key 'level'"),
        ("[pins.led]\ndirection = 1", r"pins\.led\.direction: expected a string"),
    ],
)
def test_a_wrong_key_is_told_with_its_path(text, words):
    with pytest.raises(ProtocolError, match=rf"^function\.toml\.{words}"):
        function(f'name = "a"\nhandler = "m:h"\n{text}')


@pytest.mark.parametrize("handler", ["a:b:c", "a:", ":b", "a..b:c", "a.:b", "a:b.c", "a-b:c", "a:1"])
def test_a_handler_is_one_function_of_one_module(handler):
    with pytest.raises(ProtocolError, match="module:function"):
        function(f'name = "a"\nhandler = "{handler}"')


def test_several_workers_may_share_an_input():
    assert function('name = "a"\nhandler = "m:h"\ninstances = 2\n[pins.button]\ndirection = "in"').instances == 2
