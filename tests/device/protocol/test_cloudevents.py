"""Messages between functions: a CloudEvent of ours, one of a stranger, and what is none."""

import json

import pytest

from device.protocol import cloudevents
from device.protocol.cloudevents import MAX_HOPS, MAX_PAYLOAD, Message
from device.protocol.errors import ProtocolError

LEAST = {"specversion": "1.0", "id": "1", "source": "/home/pi", "type": "com.example.any"}


def read(**changes):
    return cloudevents.message("house/light", json.dumps({**LEAST, **changes}).encode())


def test_a_message_is_a_cloudevent_in_structured_mode():
    sent = Message("7", "/home/pi/lamp", "2026-01-02T03:04:05Z", "house/light", {"lux": 5}, ("", "pi/lamp"))
    assert json.loads(sent.encode()) == {
        "hops": 2,
        "trail": "pi/lamp",
        "specversion": "1.0",
        "id": "7",
        "source": "/home/pi/lamp",
        "type": "lamplight.message",
        "subject": "house/light",
        "time": "2026-01-02T03:04:05Z",
        "datacontenttype": "application/json",
        "data": {"lux": 5},
    }


@pytest.mark.parametrize("trail", [(), ("",), ("", "pi/lamp"), ("pi/lamp",) * MAX_HOPS])
def test_a_message_comes_back_as_it_was_sent(trail):
    sent = Message("7", "/home/pi/lamp", "2026-01-02T03:04:05Z", "house/light", [None], trail)
    assert vars(cloudevents.message("house/light", sent.encode())) == vars(sent)


def test_one_from_elsewhere_needs_only_what_the_standard_asks_for():
    assert vars(read()) == vars(read(hops=0)) == vars(Message("1", "/home/pi", "", "house/light", None))


def test_the_topic_is_where_it_came_from_whatever_it_says():
    assert read(subject="another/topic").topic == "house/light"


@pytest.mark.parametrize("lacking", LEAST)
def test_one_without_what_the_standard_asks_for_is_refused(lacking):
    payload = json.dumps({key: value for key, value in LEAST.items() if key != lacking}).encode()
    with pytest.raises(ProtocolError, match=rf"^event\.{lacking}: expected"):
        cloudevents.message("t", payload)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"specversion": "0.3"}, "is unknown"),
        ({"type": 1}, r"event\.type"),
        ({"time": 5}, r"event\.time"),
        ({"hops": -1}, r"event\.hops"),
        ({"hops": MAX_HOPS + 1}, r"event\.hops"),
        ({"hops": "1"}, r"event\.hops"),
    ],
)
def test_a_wrong_attribute_is_named(changes, words):
    with pytest.raises(ProtocolError, match=words):
        read(**changes)


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"specversion": "1.0"'])
def test_noise_is_refused(payload):
    with pytest.raises(ProtocolError, match=r"^event"):
        cloudevents.message("t", payload)


def test_a_message_that_fits_no_event_is_neither_sent_nor_taken():
    room = MAX_PAYLOAD - len(Message("1", "s", "", "t", "").encode())
    payload = Message("1", "s", "", "t", "x" * room).encode()
    assert len(payload) == MAX_PAYLOAD
    assert cloudevents.message("t", payload).data == "x" * room
    with pytest.raises(ProtocolError, match="at most 98304"):
        cloudevents.message("t", payload + b" ")
    with pytest.raises(ProtocolError, match="at most 98304"):
        Message("1", "s", "", "t", "x" * (room + 1)).encode()
