"""Messages between functions: on one board without any network, between boards through whatever carries them."""

import json

import pytest

from device.protocol import cloudevents
from device.protocol.errors import ProtocolError
from device.triggers.mqtt import TopicHub


class Wire:
    """A network that keeps what it is given."""

    def __init__(self):
        self.sent, self.filters, self.connected = [], set(), True

    def publish(self, topic, payload):
        self.sent.append((topic, payload))
        return self.connected

    def subscribe(self, filters):
        self.filters |= set(filters)

    def unsubscribe(self, filters):
        self.filters -= set(filters)


@pytest.fixture
def hub():
    return TopicHub("/home/desk-pi/1-ab")


def test_a_message_reaches_the_boards_own_functions_without_any_network(hub, delivered):
    hub.trigger("light/+", delivered)
    hub.published("night-light", "light/changed", {"lit": True})
    hub.published("night-light", "other/changed", None)
    data = {"topic": "light/changed", "data": {"lit": True}, "from": "/home/desk-pi/1-ab/function/night-light"}
    assert delivered.events == [("mqtt", "lamplight.mqtt.message", data, "light/changed")]


def test_it_goes_to_the_network_as_a_cloudevent_and_is_read_there(hub, delivered):
    wire, other = Wire(), TopicHub("/home/hall-pi/7-cd")
    hub.link(wire)
    hub.published("f", "a", 1)
    hub.published("f", "a", 2)
    other.trigger("#", delivered)
    for topic, payload in wire.sent:
        other.arrived(cloudevents.message(topic, payload))
    assert [data["data"] for _, _, data, _ in delivered.events] == [1, 2]
    first, second = (json.loads(payload) for _, payload in wire.sent)
    assert {"specversion", "id", "source", "type", "time", "datacontenttype", "subject"} <= set(first)
    assert first["id"] != second["id"]


def test_the_boards_own_echo_is_no_second_event(hub, delivered):
    wire = Wire()
    hub.link(wire)
    hub.trigger("a", delivered)
    hub.published("f", "a", 1)
    for topic, payload in wire.sent:
        hub.arrived(cloudevents.message(topic, payload))
    assert len(delivered.events) == 1


def test_subscriptions_follow_the_triggers_and_are_made_anew_at_each_connection(hub, delivered):
    wire = Wire()
    hub.link(wire)
    one, two = hub.trigger("a", delivered), hub.trigger("a", delivered)
    assert wire.filters == {"a"}
    wire.filters.clear()
    hub.connected()
    assert wire.filters == {"a"}
    one.close()
    assert wire.filters == {"a"}
    two.close()
    two.close()
    assert wire.filters == set()


@pytest.mark.parametrize("topic", ["+", "a/#", "", "A b", "a//b", "/a", "/".join("abcdefghi"), "$SYS/x"])
def test_a_topic_that_is_a_filter_or_not_of_names_stays_a_record(hub, delivered, topic):
    wire = Wire()
    hub.link(wire)
    hub.trigger("#", delivered)
    hub.published("f", topic, 1)
    assert (wire.sent, delivered.events) == ([], [])


def test_a_message_too_long_for_an_event_goes_nowhere_and_ends_nobodys_worker(hub, delivered):
    wire = Wire()
    hub.link(wire)
    hub.trigger("#", delivered)
    hub.published("f", "a", "x" * cloudevents.MAX_PAYLOAD)
    assert (wire.sent, delivered.events) == ([], [])
    with pytest.raises(ProtocolError, match="at most"):
        cloudevents.message("a", b" " * (cloudevents.MAX_PAYLOAD + 1))


NOT_EVENTS = [
    b"",
    b"{}",
    b"1",
    b"\xff",
    b'{"specversion": "1.0"}',
    b'{"specversion": "0.3", "id": "1", "source": "/", "type": "t"}',
    b'{"specversion": "1.0", "id": 1, "source": "/", "type": "t"}',
    b'{"specversion": "1.0", "id": "1", "type": "t"}',
]


@pytest.mark.parametrize("payload", NOT_EVENTS)
def test_what_is_no_cloudevent_is_refused(payload):
    with pytest.raises(ProtocolError):
        cloudevents.message("a", payload)
