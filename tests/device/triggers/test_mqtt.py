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
    told = []

    def handle(source, type, data, subject="", trail=()):
        told.append(hub.published(name, publishes, 1, trail))

    hub.trigger(listens, handle)
    return told


@pytest.mark.parametrize("links", [[("f", "a", "a")], [("f", "a", "b"), ("g", "b", "c"), ("h", "c", "a")]])
def test_functions_that_start_each_other_in_a_circle_are_ended_and_each_is_told_once(hub, delivered, links):
    hub.trigger("#", delivered)
    told = {name: circle(hub, name, listens, publishes) for name, listens, publishes in links}
    hub.published("timer", "a", 1)
    assert len(delivered.events) == cloudevents.MAX_HOPS
    for name, said in told.items():
        (notice,) = filter(None, said)
        assert notice.startswith(f"desk-pi/{name} → ") and all(f"desk-pi/{each} " in notice for each in told)


def test_a_row_of_more_functions_than_the_most_is_ended_and_told_of_by_the_last(hub):
    told = [circle(hub, f"f{each}", f"t{each}", f"t{each + 1}") for each in range(20)]
    hub.published("timer", "t0", 1)
    assert [any(each) for each in told] == [*[False] * 15, True, *[False] * 4], told


def test_two_functions_that_answer_each_other_a_few_times_are_no_circle(hub, delivered):
    def answer(source, type, data, subject="", trail=()):
        assert hub.published("f", "question", data["data"] - 1, trail) == "" if data["data"] else True

    hub.trigger("question", answer)
    hub.trigger("#", delivered)
    assert hub.published("g", "question", 6) == ""
    assert len(delivered.events) == 7


def test_a_circle_of_two_boards_is_ended_as_one_on_a_board(hub, delivered):
    other = TopicHub("/home/hall-pi/7-cd")
    for here, there in ((hub, other), (other, hub)):

        class Across(Wire):
            to = there

            def publish(self, topic, payload):
                self.to.arrived(cloudevents.message(topic, payload))
                return True

        here.link(Across())
    told = circle(hub, "f", "a", "b"), circle(other, "g", "b", "a")
    other.trigger("#", delivered)
    hub.published("timer", "a", 1)
    assert len(delivered.events) == cloudevents.MAX_HOPS
    # Each board's function tells it, and names the other's.
    for said in told:
        (notice,) = filter(None, said)
        assert "desk-pi/f" in notice and "hall-pi/g" in notice


def test_a_circle_through_an_agent_that_names_nobody_is_ended_all_the_same(hub, delivered):
    class Older(Wire):
        def publish(self, topic, payload):
            fields = json.loads(payload)
            del fields["trail"]
            back = {**fields, "source": "/home/old/1-aa/function/g", "hops": fields["hops"] + 1}
            if topic == "b" and back["hops"] <= cloudevents.MAX_HOPS:
                hub.arrived(cloudevents.message("a", json.dumps(back).encode()))
            return True

    hub.link(Older())
    told = circle(hub, "f", "a", "b")
    hub.published("timer", "a", 1)
    # It is the other one that stops it, and tells it.
    assert 2 * len(told) == cloudevents.MAX_HOPS


@pytest.mark.parametrize("trail", ["a", "a/b c/d", "a/b/c", "A/b", 5, "/", "a/" + "b" * 64])
def test_a_trail_that_names_no_functions_is_refused(trail):
    payload = {"specversion": "1.0", "id": "1", "source": "/", "type": "t", "hops": 1, "trail": trail}
    with pytest.raises(ProtocolError):
        cloudevents.message("a", json.dumps(payload).encode())


@pytest.mark.parametrize("trail", [(), ("a/b",), ("", "a/b"), ("a/b", "", "c/d"), ("",) * 3, ("d/" + "f" * 63,) * 16])
def test_a_trail_survives_its_journey_from_the_last_unnamed_function_on(trail):
    sent = cloudevents.Message("1", "/s", "", "a", 1, trail).encode()
    there = cloudevents.message("a", sent).trail
    assert len(there) == len(trail)
    known = trail[::-1].index("") if "" in trail else len(trail)
    assert there[len(trail) - known :] == trail[len(trail) - known :]


@pytest.mark.parametrize("hops", [-1, 17, "1", 1.5, None, True, 10**30])
def test_a_count_of_hops_that_is_none_is_refused(hops):
    payload = {"specversion": "1.0", "id": "1", "source": "/", "type": "t", "hops": hops}
    with pytest.raises(ProtocolError):
        cloudevents.message("a", json.dumps(payload).encode())


def test_a_message_of_an_older_agent_has_no_count():
    payload = b'{"specversion": "1.0", "id": "1", "source": "/", "type": "t", "data": 1}'
    assert cloudevents.message("a", payload).trail == ()


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
