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
