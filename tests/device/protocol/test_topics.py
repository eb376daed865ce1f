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
