"""Requests as bytes, in whatever pieces they come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.triggers.http.conversation import Conversation
from device.triggers.http.head import MOST_HEAD
from device.triggers.http.message import RefusedError, Request, Response

SIZED = b"POST /x?a=1 HTTP/1.1\r\nHost: pi\r\nX-A: 1\r\nx-a:\t2 \r\nContent-Length: 7\r\n\r\nab\r\n\r\nc"
CHUNKED = (
    b"PUT /y HTTP/1.1\r\nHost: pi\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b"3;name=value\r\nab\n\r\n04\r\n\r\n\r\n\r\n0\r\nA-Trailer: x\r\n\r\n"
)
EXPECTED = [("POST", "/x?a=1", b"ab\r\n\r\nc"), ("PUT", "/y", b"ab\n\r\n\r\n")]


def conversation(most: int = 1000) -> Conversation:
    return Conversation(lambda method, target: most)


def read(talk: Conversation) -> list[Request]:
    """All requests that have arrived, each answered."""
    requests: list[Request] = []
    while request := talk.next():
        requests.append(request)
        talk.respond(Response(204))
        assert talk.again()
    return requests


@given(st.lists(st.integers(1, len(SIZED + CHUNKED)), max_size=20))
def test_requests_are_the_same_in_whatever_pieces_they_come(cuts: list[int]) -> None:
    talk, stream = conversation(), SIZED + CHUNKED
    places = [0, *sorted(cuts), len(stream)]
    got: list[Request] = []
    for start, end in pairwise(places):
        if end > start:
            talk.receive(stream[start:end])
            got += read(talk)
    assert [(each.method, each.target, each.body) for each in got] == EXPECTED
    assert got[0].headers == {"host": "pi", "x-a": "1, 2", "content-length": "7"}
    assert talk.idle


@given(st.binary(max_size=300))
def test_garbage_is_a_request_or_refused_and_never_an_error_of_ours(garbage: bytes) -> None:
    for start in (b"", b"POST /x HTTP/1.1\r\nHost: pi\r\nTransfer-Encoding: chunked\r\n\r\n"):
        talk = conversation()
        talk.receive(start + garbage)
        talk.receive(b"")
        with pytest.raises((RefusedError, EOFError)):
            for _ in range(300):
                talk.next()
                talk.respond(Response(204))
                if not talk.again():
                    raise EOFError


def test_a_head_made_to_be_slow_to_match_is_refused_all_the_same() -> None:
    # A pattern that tries everything would never end.
    for hostile in (b"a" * 16_000, b"X: " + b" \t" * 7_900, b"X:\r\n" * 4_000, b"a:" * 8_000):
        talk = conversation()
        talk.receive(b"GET /x HTTP/1.1\r\n" + hostile[: MOST_HEAD - 30] + b"\r\n\0\r\n\r\n")
        with pytest.raises(RefusedError):
            talk.next()


def test_the_end_of_the_stream_between_two_requests_is_an_end_and_within_one_an_error() -> None:
    for head in (b"GET", SIZED[:-1], CHUNKED[:-1]):
        talk = conversation()
        talk.receive(head)
        assert talk.next() is None
        talk.receive(b"")
        with pytest.raises(RefusedError):
            talk.next()
    talk = conversation()
    talk.receive(b"")
    with pytest.raises(EOFError):
        talk.next()


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (b"GET / HTTP/1.1\r\nHost: pi\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: pi\r\nConnection: Keep-Alive, Close\r\n", False),
        (b"GET / HTTP/1.0\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n", False),
    ],
)
def test_the_connection_is_kept_where_the_client_expects_it(head: bytes, again: bool) -> None:
    talk = conversation()
    talk.receive(head + b"\r\n")
    assert talk.next()
    assert (b"Connection: close" in talk.respond(Response(200))) != again
    assert talk.again() == again


def test_whoever_sends_the_body_at_once_is_not_told_to_go_on() -> None:
    talk = conversation()
    talk.receive(b"POST / HTTP/1.1\r\nHost: pi\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\na")
    assert talk.next() is None
    assert talk.invitation() == b""


def test_an_answer_says_its_length() -> None:
    talk = conversation()
    talk.receive(b"GET / HTTP/1.1\r\nHost: pi\r\n\r\n")
    talk.next()
    assert (
        talk.respond(Response(200, b"ok", [("X-A", "b")])) == b"HTTP/1.1 200 \r\nX-A: b\r\nContent-Length: 2\r\n\r\nok"
    )


@pytest.mark.parametrize("header", [("X A", "b"), ("", "b"), ("X", "b\nc"), ("X", "\0"), ("X", "ö"), ("X:", "b")])
def test_a_header_that_cannot_be_sent_makes_the_answer_an_error(header: tuple[str, str]) -> None:
    assert conversation().respond(Response(200, b"", [header])).startswith(b"HTTP/1.1 500 ")
