"""Requests: each kind, and anything a client may send instead."""

import errno
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import boards
from device.hal.sim.parts.assembly import Assembly
from device.hal.sim.requests import HANDLERS, answer

# The machine may be busy with other things.
RELAXED = settings(suppress_health_check=[HealthCheck.too_slow])

BOARD = boards.load("lamplight/simulated")
OWNER = object()


def assembly():
    return Assembly(BOARD, lambda: 0.0)


def ask(hardware, request, owner=OWNER):
    return json.loads(answer(hardware, owner, json.dumps(request).encode() + b"\n"))


def test_a_transfer_gives_the_bytes_in_hexadecimal():
    assert ask(assembly(), {"op": "transfer", "bus": 1, "address": 0x39, "write": "8a", "read": 1}) == {"data": "50"}


def test_lines_belong_to_the_connection_that_requested_them():
    hardware = assembly()
    assert ask(hardware, {"op": "request", "lines": [17]}) == {}
    assert ask(hardware, {"op": "read", "line": 17}) == {"value": False}
    assert ask(hardware, {"op": "read", "line": 17}, object())["errno"] == errno.ENODEV
    assert ask(hardware, {"op": "request", "lines": [17]}, object())["errno"] == errno.EBUSY


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"\n", "Expecting value"),
        (b"{\n", "Expecting"),
        (b"\xff\xfe\n", "decode"),
        (b"[]\n", "expected a table"),
        (b"{}\n", "request.op"),
        (b'{"op": "explode"}\n', "unknown 'explode'"),
        (b'{"op": "state", "lux": 1}\n', "unknown key 'lux'"),
        (b'{"op": "surround", "lux": NaN}\n', "must be finite"),
        (b'{"op": "surround", "lux": 1e999}\n', "must be finite"),
        (b'{"op": "surround", "lux": -1}\n', "not between"),
        (b'{"op": "surround", "lux": true}\n', "expected a number"),
        (b'{"op": "surround", "covered": 1}\n', "expected true or false"),
        (b'{"op": "transfer", "bus": 1, "address": 57, "write": "xy"}\n', "non-hexadecimal"),
        (b'{"op": "transfer", "bus": 1, "address": 57, "read": 1000000000}\n', "not between"),
        (b'{"op": "transfer", "bus": 1, "address": 1000}\n', "not between"),
        (b'{"op": "request", "lines": "17"}\n', "expected a list"),
        (b'{"op": "configure", "line": 17, "direction": "up"}\n', "none of"),
        (b'{"op": "wire", "pin": "nose", "level": true}\n', "no pin 'nose'"),
        (b"[" * 60_000 + b"\n", ""),
        (b'{"op": ' + b"9" * 10_000 + b"}\n", ""),
    ],
)
def test_a_request_that_makes_no_sense_is_answered_with_the_reason(line, why):
    reply = json.loads(answer(assembly(), OWNER, line))
    assert reply["errno"] == errno.EINVAL
    assert why in reply["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(sorted({key for _, keys in HANDLERS.values() for key in keys}))
REQUESTS = st.builds(
    lambda op, fields: {"op": op, **fields}, st.sampled_from(sorted(HANDLERS)), st.dictionaries(KEYS, JSON, max_size=4)
)


@RELAXED
@given(st.lists(st.one_of(st.binary(max_size=80), REQUESTS.map(lambda r: json.dumps(r).encode())), max_size=8))
def test_whatever_is_sent_is_answered_with_one_line_and_the_hardware_goes_on(lines):
    hardware = assembly()
    for line in lines:
        reply = answer(hardware, object(), line + b"\n")
        assert reply.endswith(b"\n")
        assert reply.count(b"\n") == 1
        assert isinstance(json.loads(reply), dict)
    assert set(ask(hardware, {"op": "state"})) == {"lux", "covered", "unplugged", "pins"}
