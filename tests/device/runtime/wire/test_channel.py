"""The channel: whole packets, bounded, refused when malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol.errors import ProtocolError
from device.runtime.wire import channel
from device.runtime.wire.channel import MAX_PACKET, Channel, ChannelClosedError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture
def ends():
    mine, theirs = (Channel(end) for end in channel.pair())
    yield mine, theirs
    mine.close()
    theirs.close()


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_is_encoded_is_decoded(message):
    try:
        packet = channel.encode(message)
    except UnicodeEncodeError:
        return
    assert channel.decode(packet) == message


@given(st.binary())
def test_bytes_that_are_no_message_are_refused(packet):
    try:
        assert isinstance(channel.decode(packet), dict)
    except ProtocolError:
        pass


def test_the_largest_message_travels_whole_and_one_byte_more_is_refused(ends):
    mine, theirs = ends
    room = MAX_PACKET - len(channel.encode({"x": ""}))
    mine.send({"x": "y" * room})
    assert theirs.receive() == {"x": "y" * room}
    with pytest.raises(ProtocolError, match="at most"):
        mine.send({"x": "y" * (room + 1)})


def test_two_messages_stay_two(ends):
    mine, theirs = ends
    mine.send({"n": 1})
    mine.send({"n": 2})
    assert [theirs.receive(), theirs.receive()] == [{"n": 1}, {"n": 2}]


def test_the_end_of_the_other_side_is_seen_after_what_it_sent(ends):
    mine, theirs = ends
    mine.send({"last": True})
    mine.close()
    assert theirs.receive() == {"last": True}
    with pytest.raises(ChannelClosedError):
        theirs.receive()
    with pytest.raises(ChannelClosedError):
        theirs.send({})


def test_hanging_up_ends_receiving_in_another_thread_but_loses_nothing(ends):
    mine, theirs = ends
    theirs.send({"last": True})
    mine.hang_up()
    assert mine.receive() == {"last": True}
    with pytest.raises(ChannelClosedError):
        mine.receive()


def test_a_peer_that_does_not_read_cannot_hold_up_an_end_that_does_not_wait():
    mine, theirs = channel.pair()
    impatient = Channel(mine, waits=False)
    with pytest.raises(ChannelClosedError):
        for _ in range(100):
            impatient.send({"x": "y" * 100_000})
    impatient.close()
    theirs.close()
