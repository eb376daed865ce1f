"""Every message survives its encoding; anything else gives a ProtocolError and nothing worse."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol import fields, messages
from device.protocol.errors import ProtocolError
from device.protocol.fields import MAX_DEPTH
from tests.device.protocol.strategies import digests, tables, values

texts = st.text(max_size=30)
counts = st.integers(0, 2**53)
DECODERS = (messages.presence, messages.batch, messages.ack, messages.want, messages.call, messages.reply)
records = st.builds(lambda rest, seq, time: {**rest, "seq": seq, "time": time}, tables, counts, st.floats(0, 4e9))


@given(st.booleans(), counts)
def test_presence(online, session):
    read = messages.presence(messages.Presence(online, session).encode())
    assert (read.online, read.session) == (online, session)


@given(texts, st.lists(records, max_size=4))
def test_batch(boot, listed):
    read = messages.batch(messages.Batch(boot, listed).encode())
    assert (read.boot, read.records) == (boot, listed)


@given(texts, texts, counts)
def test_ack(stream, boot, seq):
    read = messages.ack(messages.Ack(stream, boot, seq).encode())
    assert (read.stream, read.boot, read.seq) == (stream, boot, seq)


@given(st.lists(digests, max_size=messages.MAX_WANT))
def test_want(listed):
    assert messages.want(messages.encode_want(listed)) == listed


@given(texts, values, texts)
def test_call_and_reply(id, value, error):
    call = messages.call(messages.Call(id, value).encode())
    assert (call.id, call.data) == (id, value)
    reply = messages.reply(messages.Reply(id, value, error).encode())
    assert (reply.id, reply.result, reply.error) == (id, value, error)


@pytest.mark.parametrize("decode", DECODERS)
@given(payload=st.binary(max_size=300) | values.map(lambda value: json.dumps(value).encode()))
def test_noise_is_refused_or_read_but_never_worse(decode, payload):
    try:
        decode(payload)
    except ProtocolError:
        pass


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    "payload", [b"[" * 100_000, b'{"a":' * 100_000, b" " * (messages.MAX_MESSAGE + 1), b'{"seq": ' + b"9" * 9000 + b"}"]
)
def test_a_message_made_to_break_the_reader_is_refused(decode, payload):
    with pytest.raises(ProtocolError):
        decode(payload)


@pytest.mark.parametrize(
    "record", [{}, {"seq": 1}, {"seq": -1, "time": 0}, {"seq": True, "time": 0}, {"seq": 1, "time": "now"}, 5]
)
def test_a_record_without_its_number_or_time_is_refused(record):
    with pytest.raises(ProtocolError, match=r"batch\.records"):
        messages.batch(json.dumps({"boot": "1-00000000", "records": [record]}).encode())


def test_more_chunks_than_may_be_asked_for_are_refused():
    with pytest.raises(ProtocolError, match="at most 64"):
        messages.want(json.dumps({"chunks": ["0" * 64] * 65}).encode())


def test_text_that_cannot_be_stored_is_refused():
    for payload in (b'{"id": "a", "data": ["\\ud800"]}', b'{"id": "a", "data": {"\\udfff": 1}}'):
        with pytest.raises(ProtocolError, match="not valid Unicode"):
            messages.call(payload)


def test_deep_nesting_is_refused_before_it_breaks_a_later_reader():
    with pytest.raises(ProtocolError, match="nested"):
        messages.call(b'{"id": "a", "data": ' + b"[" * 40 + b"]" * 40 + b"}")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_no_other_language_reads_are_refused(number):
    with pytest.raises(ProtocolError):
        messages.call(f'{{"id": "a", "data": [{number}]}}'.encode())
    with pytest.raises(ValueError):
        messages.Call("a", [float(number)]).encode()


@given(
    st.recursive(
        st.floats() | st.text() | st.characters(categories=["Cs"]) | st.sampled_from([1e300, 10**400, 1e-300]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    st.booleans(),
    st.integers(0, 2 * MAX_DEPTH),
    st.sampled_from(["", "1e999", "-1E+400", "9" * 400, "1.5e-3"]),
)
def test_what_is_read_is_plain_however_it_was_written(value, escaped, depth, number):
    written = json.dumps(value, ensure_ascii=escaped)
    body = f'{{"a":{"[" * depth}{written}{"]" * depth},"b":{number or 0}}}'.encode(errors="surrogatepass")
    try:
        read = messages.decode(body, "body")
    except ProtocolError:
        return
    fields.plain(read, "body")


@pytest.mark.parametrize(
    ("written", "read"), [(None, None), (1000.5, 1000.5), (-5.0, 0), (1e300, messages._LATEST), (0.0, 0.0)]
)
def test_presence_has_the_time_of_the_board_as_a_date_can_be(written, read):
    assert messages.presence(messages.Presence(True, 1, written).encode()).time == read


@pytest.mark.parametrize("hardware", ["", "rpi-4b/10000000e1", "!~", "x" * messages.MAX_HARDWARE])
def test_presence_names_the_board_behind_it(hardware):
    assert messages.presence(messages.Presence(True, 1, hardware=hardware).encode()).hardware == hardware


@pytest.mark.parametrize("hardware", ["a b", "\x7f", "é", "\x1b[2J", "x" * (messages.MAX_HARDWARE + 1)])
def test_presence_of_a_board_with_an_unprintable_name_is_refused(hardware):
    with pytest.raises(ProtocolError, match=r"presence\.hardware"):
        messages.presence(messages.Presence(True, 1, hardware=hardware).encode())


def test_presence_says_only_what_the_board_knows():
    assert json.loads(messages.Presence(False, 3).encode()) == {"online": False, "session": 3}
    full = {"online": True, "session": 3, "time": 5.5, "hardware": "x"}
    assert json.loads(messages.Presence(True, 3, 5.5, "x").encode()) == full


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (messages.presence, {"online": True, "session": 2**53 + 1}),
        (messages.presence, {"online": 1, "session": 1}),
        (messages.presence, {"online": True, "session": 1, "time": "now"}),
        (messages.batch, {"boot": "1", "records": [{"seq": 2**53 + 1, "time": 0}]}),
        (messages.batch, {"boot": "1", "records": [], "more": 1}),
        (messages.batch, {"boot": 1, "records": []}),
        (messages.ack, {"stream": "logs", "boot": "1", "seq": 2**53 + 1}),
        (messages.ack, {"stream": "logs", "boot": "1", "seq": -1}),
        (messages.ack, {"stream": 1, "boot": "1", "seq": 1}),
        (messages.ack, {"stream": "logs", "boot": 1, "seq": 1}),
        (messages.want, {"chunks": ["0" * 63]}),
        (messages.call, {"id": 1}),
        (messages.call, {"id": "1", "type": ""}),
        (messages.reply, {"id": "1", "error": 5}),
        (messages.reply, {"id": 1}),
    ],
)
def test_a_wrong_field_is_refused(decode, body):
    with pytest.raises(ProtocolError, match=f"^{decode.__name__}"):
        decode(messages.encode(body))


def test_the_highest_numbers_pass():
    assert messages.presence(messages.Presence(True, 2**53).encode()).session == 2**53
    assert messages.ack(messages.Ack("logs", "1", 2**53).encode()).seq == 2**53
    assert messages.batch(messages.Batch("1", [{"seq": 2**53, "time": 0}]).encode()).records[0]["seq"] == 2**53
    assert len(messages.want(messages.encode_want(["0" * 64] * 99))) == messages.MAX_WANT


@pytest.mark.parametrize("type", ["a", "lamplight.sensor.reading", "A-Z_0/9", "x" * messages.MAX_TYPE])
def test_a_call_is_of_the_type_its_caller_says(type):
    assert messages.call(messages.Call("1", None, type).encode()).type == type
    assert messages.call(b'{"id": "1"}').type == "lamplight.call"


@pytest.mark.parametrize("type", ["", "a b", "é", "a\n", "x" * (messages.MAX_TYPE + 1), "٣"])
def test_a_type_is_plain_and_bounded(type):
    with pytest.raises(ProtocolError, match="is not a type"):
        messages.event_type(type)


def test_a_message_may_be_as_long_as_said_and_no_longer():
    body = b'{"a":1}'
    assert messages.decode(body + b" " * (messages.MAX_MESSAGE - len(body)), "body") == {"a": 1}
    with pytest.raises(ProtocolError, match=r"^body: 1048577 bytes; at most 1048576$"):
        messages.decode(body + b" " * (messages.MAX_MESSAGE + 1 - len(body)), "body")


def test_a_reply_that_names_no_error_is_a_success():
    assert vars(messages.reply(b'{"id": "1", "result": 5}')) == {"id": "1", "result": 5, "error": ""}


def test_what_is_no_object_is_named():
    with pytest.raises(ProtocolError, match=r"^body: expected a table, found a list$"):
        messages.decode(b"[]", "body")
    with pytest.raises(ProtocolError, match=r"^body: is not JSON"):
        messages.decode(b"{", "body")
    assert messages.encode({"é": [1, None]}) == b'{"\\u00e9":[1,null]}'


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")], ids=["lists", "tables"])
def test_so_many_levels_pass_and_no_more_whatever_opens_them(opened, closed):
    def decode(depth):
        # The body itself is the first level.
        return messages.decode(f'{{"a":{opened * (depth - 1)}0{closed * (depth - 1)}}}'.encode(), "body")

    assert decode(MAX_DEPTH)
    with pytest.raises(ProtocolError, match="nested more than 32"):
        decode(MAX_DEPTH + 1)
