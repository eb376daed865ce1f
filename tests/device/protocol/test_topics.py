"""Every topic that is built can be parsed, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol import topics
from device.protocol.errors import ProtocolError
from device.protocol.topics import Topic
from tests.device.protocol.strategies import digests, names


@given(names, names, names, digests)
def test_what_is_built_is_parsed(fleet, device, function, digest):
    built = {
        topics.chunk(fleet, digest): Topic(fleet, "chunk", leaf=digest),
        topics.call(fleet, device, function): Topic(fleet, "call", device, function),
        topics.reply(fleet, device, function): Topic(fleet, "reply", device, function),
        **{
            topics.of_device(fleet, device, kind): Topic(fleet, kind, device)
            for kind in ("presence", "desired", "want")
        },
        **{topics.up(fleet, device, stream): Topic(fleet, "up", device, stream) for stream in topics.STREAMS},
    }
    for topic, expected in built.items():
        assert topics.parse(topic) == expected
        assert str(topics.parse(topic)) == topic


levels = st.sampled_from(["lamplight", "1", "home", "d", "c", "up", "call", "desired", "", "+", "#", "$SYS", "a" * 64])


@given(st.lists(levels | st.text(max_size=6), max_size=9).map("/".join) | st.text())
def test_any_other_topic_is_refused_with_a_protocol_error(topic):
    try:
        parsed = topics.parse(topic)
    except ProtocolError:
        return
    assert str(parsed) == topic


@pytest.mark.parametrize("name", ["", "-a", "A", "a/b", "+", "#", "a" * 64, "é", "a\n", "a\0", "٣"])
def test_a_name_that_would_change_the_topic_is_refused(name):
    for build in (
        lambda: topics.of_device(name, "d", "desired"),
        lambda: topics.of_device("f", name, "desired"),
        lambda: topics.call("f", "d", name),
        lambda: topics.calls_filter("f", name),
        lambda: topics.fleet_filter(name, "up"),
    ):
        with pytest.raises(ProtocolError):
            build()


def test_an_unknown_kind_is_refused():
    for build in (
        lambda: topics.of_device("f", "d", "up"),
        lambda: topics.up("f", "d", "secrets"),
        lambda: topics.fleet_filter("f", "+"),
    ):
        with pytest.raises(ProtocolError, match="unknown"):
            build()


@given(names, names)
def test_a_filter_is_the_topic_with_one_level_open(fleet, device):
    assert topics.fleet_filter(fleet, "reported") == f"lamplight/1/{fleet}/d/+/reported"
    assert topics.fleet_filter(fleet, "up") == f"lamplight/1/{fleet}/d/+/up/+"
    assert topics.calls_filter(fleet, device) == f"lamplight/1/{fleet}/d/{device}/call/+"


@pytest.mark.parametrize(
    ("topic", "filter", "gets"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/+", True),
        ("a/b", "+/b", True),
        ("a/b", "+/+", True),
        ("a/b", "a/#", True),
        ("a/b", "#", True),
        ("a/b/c", "a/#", True),
        ("a", "a/#", True),
        ("a", "a/b/#", False),
        ("b/c", "a/#", False),
        ("a/b", "a/c", False),
        ("a/b", "a", False),
        ("a", "a/b", False),
        ("a/b/c", "a/+", False),
        ("a", "a/+", False),
    ],
)
def test_a_filter_gets_what_mqtt_says(topic, filter, gets):
    assert topics.matches(filter, topic) == gets


def test_functions_meet_on_topics_of_up_to_8_names():
    for topic in ("a", "house/light", "/".join("abcdefgh")):
        assert topics.is_fleet_topic(topic)
        assert topics.shared("home", topic) == f"lamplight/1/home/t/{topic}"
        assert topics.parse(topics.shared("home", topic)) == Topic("home", "topic", leaf=topic)
        assert str(topics.parse(topics.shared("home", topic))) == topics.shared("home", topic)
    assert topics.shared("home", "a/+/#") == "lamplight/1/home/t/a/+/#"
    for topic in ("", "A", "a//b", "/a", "a/", "a/+", "#", "/".join("abcdefghi")):
        assert not topics.is_fleet_topic(topic)
        with pytest.raises(ProtocolError):
            topics.parse(f"lamplight/1/home/t/{topic}")


def test_topics_are_equal_by_their_text():
    one, same, other = Topic("home", "want", "pi"), Topic("home", "want", "pi"), Topic("home", "ack", "pi")
    assert len({one, same, other}) == 2
    assert one != other
    assert one != str(one)


@pytest.mark.parametrize(
    "topic",
    [
        "lamplight/2/home/d/pi/want",
        "other/1/home/d/pi/want",
        "lamplight/1/Home/d/pi/want",
        "lamplight/1/home/d/Pi/want",
        "lamplight/1/home/x/pi/want",
        "lamplight/1/home/d/pi",
        "lamplight/1/home/d/pi/want/more",
        "lamplight/1/home/d/pi/up",
        "lamplight/1/home/d/pi/up/secrets",
        "lamplight/1/home/d/pi/call",
        "lamplight/1/home/d/pi/call/F",
        "lamplight/1/home/d/pi/call/f/more",
        "lamplight/1/home/d/pi/other/f",
        "lamplight/1/home/c/" + "0" * 63,
        "lamplight/1/home/c/" + "0" * 64 + "/x",
        "lamplight/1/home/e/pi/client/tell",
        "lamplight/1/home/e/pi/client/ask/x",
        "lamplight/1/home/e/pi/ask",
        "lamplight/1/home/x/pi/client/ask",
    ],
)
def test_a_topic_of_another_form_is_refused(topic):
    with pytest.raises(ProtocolError, match="topic"):
        topics.parse(topic)


def test_a_client_id_is_of_the_characters_of_names_and_bounded():
    for client in ("a", "-", "c" * 160):
        topic = topics.enrolment("home", "pi", client, "answer")
        assert topic == f"lamplight/1/home/e/pi/{client}/answer"
        assert topics.parse(topic) == Topic("home", "answer", "pi", client)
    for client in ("", "c" * 161, "a/b", "+", "A", "é"):
        with pytest.raises(ProtocolError, match="no client id"):
            topics.enrolment("home", "pi", client, "ask")
    with pytest.raises(ProtocolError, match="unknown kind 'tell'"):
        topics.enrolment("home", "pi", "c", "tell")
    with pytest.raises(ProtocolError, match="not a name"):
        topics.enrolment("home", "_shim", "c", "ask")


@pytest.mark.parametrize("kind", ["presence", "desired", "reported", "want", "ack"])
def test_the_shim_hears_every_device(kind):
    assert topics.fleet_filter("home", kind) == f"lamplight/1/home/d/+/{kind}"
    assert topics.matches(topics.fleet_filter("home", kind), topics.of_device("home", "pi", kind))


@pytest.mark.parametrize(("kind", "build"), [("call", topics.call), ("reply", topics.reply), ("up", topics.up)])
def test_the_shim_hears_every_function_and_stream(kind, build):
    assert topics.fleet_filter("home", kind) == f"lamplight/1/home/d/+/{kind}/+"
    assert topics.matches(topics.fleet_filter("home", kind), build("home", "pi", "logs"))
