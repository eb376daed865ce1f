"""Messages between functions: on one board without any network, between boards through whatever carries them."""

import json

import pytest

from device.protocol import cloudevents
from device.protocol.errors import ProtocolError
from device.triggers import mqtt
from device.triggers.mqtt import TopicHub
from tests.support import until


class Wire:
    """A network that keeps what it is given."""

    def __init__(self):
        self.sent, self.filters, self.connected = [], set(), True
        self.refused = set()

    def publish(self, topic, payload):
        self.sent.append((topic, payload))
        return self.connected

    def subscribe(self, filters, answered):
        self.filters |= set(filters)
        for each in filters:
            answered(each, each not in self.refused)

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


def circle(hub, name, listens, publishes):
    """A function that publishes on one topic for each message on another, as its worker would."""
    hub.trigger(listens, lambda source, type, data, subject="", hops=0: hub.published(name, publishes, 1, hops + 1))


@pytest.mark.parametrize("links", [[("f", "a", "a")], [("f", "a", "b"), ("g", "b", "c"), ("h", "c", "a")]])
def test_functions_that_start_each_other_in_a_circle_are_ended_and_told_of_once(hub, delivered, caplog, links):
    hub.trigger("#", delivered)
    for each in links:
        circle(hub, *each)
    for _ in range(3):
        hub.published("timer", "a", 1)
    assert len(delivered.events) == 3 * cloudevents.MAX_HOPS
    assert caplog.text.count("without end") == 1


def test_a_circle_of_two_boards_is_ended_as_one_on_a_board(hub, delivered):
    other = TopicHub("/home/hall-pi/7-cd")
    for here, there in ((hub, other), (other, hub)):

        class Across(Wire):
            to = there

            def publish(self, topic, payload):
                self.to.arrived(cloudevents.message(topic, payload))
                return True

        here.link(Across())
    circle(hub, "f", "a", "b")
    circle(other, "g", "b", "a")
    other.trigger("#", delivered)
    hub.published("timer", "a", 1)
    assert len(delivered.events) == cloudevents.MAX_HOPS


@pytest.mark.parametrize("hops", [-1, 17, "1", 1.5, None, True, 10**30])
def test_a_count_of_hops_that_is_none_is_refused(hops):
    payload = {"specversion": "1.0", "id": "1", "source": "/", "type": "t", "hops": hops}
    with pytest.raises(ProtocolError):
        cloudevents.message("a", json.dumps(payload).encode())


def test_a_message_of_an_older_agent_has_no_count():
    payload = b'{"specversion": "1.0", "id": "1", "source": "/", "type": "t", "data": 1}'
    assert cloudevents.message("a", payload).hops == 0


def test_a_topic_that_the_broker_refuses_is_a_fault_until_it_is_granted(hub, delivered, monkeypatch):
    monkeypatch.setattr(mqtt, "RETRY", 0.01)
    wire = Wire()
    wire.refused = {"secret/#"}
    hub.link(wire)
    open, closed = hub.trigger("light/+", delivered), hub.trigger("secret/#", delivered)
    assert open.fault is None
    assert "secret/#" in closed.fault.what
    wire.refused = set()
    until(lambda: closed.fault is None, "it is asked for again, and granted")


def test_a_topic_that_was_refused_is_no_fault_for_who_asks_anew_on_another_connection(hub, delivered):
    wire = Wire()
    wire.refused = {"a"}
    hub.link(wire)
    trigger = hub.trigger("a", delivered)
    wire.refused = set()
    hub.connected()
    assert trigger.fault is None


def test_without_a_connection_a_topic_is_no_fault(hub, delivered):
    assert hub.trigger("a", delivered).fault is None
