"""Any artifact comes back from its chunks, and an index that cannot be its own is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol import chunks
from device.protocol.errors import ProtocolError
from tests.device.protocol.strategies import digests, values

lengths = st.integers(1, 3 * chunks.CHUNK_SIZE) | st.sampled_from(
    [n * chunks.CHUNK_SIZE + d for n in (1, 2) for d in (-1, 0, 1)]
)


@given(lengths, st.binary(min_size=1, max_size=40))
def test_an_artifact_is_its_chunks_in_order(length, seed):
    data = (seed * (length // len(seed) + 1))[:length]
    parts = chunks.split(data)
    assert b"".join(parts) == data
    assert len(parts) == chunks.count(length)
    assert all(0 < len(part) <= chunks.CHUNK_SIZE for part in parts)
    listed = [chunks.digest(part) for part in parts]
    assert chunks.decode_index(chunks.encode_index(listed), length) == listed


def test_the_index_of_the_longest_artifact_fits_one_chunk():
    assert len(chunks.encode_index(["0" * 64] * chunks.MAX_CHUNKS)) <= chunks.CHUNK_SIZE
    assert chunks.count(chunks.MAX_ARTIFACT) == chunks.MAX_CHUNKS


@pytest.mark.parametrize("data", [b"", bytes(chunks.MAX_ARTIFACT + 1)], ids=["empty", "too long"])
def test_what_cannot_be_sent_is_refused(data):
    with pytest.raises(ProtocolError):
        chunks.split(data)


@given(st.lists(digests, max_size=5), st.integers(1, 10 * chunks.CHUNK_SIZE))
def test_an_index_of_another_length_is_refused(listed, length):
    if len(listed) == chunks.count(length):
        listed = [*listed, "0" * 64]
    with pytest.raises(ProtocolError, match="lists"):
        chunks.decode_index(chunks.encode_index(listed), length)


@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_noise_is_refused(data):
    with pytest.raises(ProtocolError):
        chunks.decode_index(data, 1)


@pytest.mark.parametrize("entry", ["A" * 64, "0" * 63, 5, None, "0" * 63 + "\n"])
def test_an_index_with_something_else_than_digests_is_refused(entry):
    with pytest.raises(ProtocolError, match="sha256"):
        chunks.decode_index(json.dumps({"chunks": [entry]}).encode(), 1)


def test_an_index_nested_without_end_is_refused():
    with pytest.raises(ProtocolError, match="not JSON"):
        chunks.decode_index(b"[" * 100_000, 1)


def test_an_artifact_of_the_longest_length_is_sent(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_ARTIFACT", 3)
    assert chunks.split(b"abc") == [b"abc"]
    with pytest.raises(ProtocolError, match=r"4 bytes; at most 3"):
        chunks.split(b"abcd")


def test_an_index_is_one_list_and_nothing_besides():
    listed = ["0" * 64]
    # To the byte: its digest is signed.
    assert chunks.encode_index(listed * 2) == f'{{"chunks":["{"0" * 64}","{"0" * 64}"]}}'.encode()
    for document in ({"chunks": listed, "more": 1}, {}, {"chunks": "0" * 64}, listed):
        with pytest.raises(ProtocolError, match=r"^index"):
            chunks.decode_index(json.dumps(document).encode(), 1)
