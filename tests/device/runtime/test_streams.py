"""Answers in parts, from real workers through the board's real HTTP server."""

import http.client
import socket

import pytest
from test_trigger_set import served

from device.config import HttpConfig

EVERY = 'methods = ["GET", "POST", "HEAD"]\n'


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = served(tmp_path_factory.mktemp("streams"), HttpConfig(port=0))
    yield bench
    bench.supervisor.close()


def serve(bench, code, toml=""):
    """The function, alone on the board, at every path."""
    bench.run(bench.function(code, toml=f'{toml}[[triggers]]\ntype = "http"\npath = "/*"\n{EVERY}'))


def ask(bench, method="GET", path="/x", body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", bench.sources.port, timeout=60)
    connection.request(method, path, body, headers or {})
    return connection, connection.getresponse()


def whole(bench, *given, **more):
    connection, answer = ask(bench, *given, **more)
    result = answer.status, answer.read()
    connection.close()
    return result


def raw(bench, request):
    """Everything that the board says until it hangs up."""
    with socket.create_connection(("127.0.0.1", bench.sources.port), timeout=60) as sock:
        sock.sendall(request)
        got = b""
        while part := sock.recv(65536):
            got += part
        return got


# The second part comes only after a request has come in for another function's flag: the state of its own module.
EVENTS = """
import time
def handler(event, context):
    def events():
        yield "data: 1\\n\\n"
        while not open_(): time.sleep(0.01)
        yield "data: 2\\n\\n"
    return {"status": 200, "headers": {"Content-Type": "text/event-stream"}, "body": events()}
def open_():
    import os
    return os.path.exists(FLAG)
"""


def test_a_part_is_there_before_the_next_is_made(bench, tmp_path):
    gate = bench.inbox / "go"
    code = EVENTS.replace("FLAG", repr(str(gate)))
    serve(bench, code, 'timeout = "60s"\n[[triggers]]\ntype = "file"\nfolder = "inbox"\nmatch = "*.none"\n')
    connection, answer = ask(bench)
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/event-stream")
    assert answer.read(9) == b"data: 1\n\n"
    gate.touch()
    assert answer.read() == b"data: 2\n\n"
    # The connection serves the next request.
    connection.request("HEAD", "/x")
    assert connection.getresponse().read() == b""
    connection.close()


GENERATORS = {
    "a generator": 'def handler(event, context):\n    yield "one "\n    yield b"two"\n',
    "an iterator": 'def handler(event, context): return iter(["one ", "two"])\n',
    "one of bytes": 'def handler(event, context): return {"body": (each for each in (b"one ", bytearray(b"two")))}\n',
    "an async one": 'async def handler(event, context):\n    yield "one "\n    yield ""\n    yield "two"\n',
    "returned by a coroutine": """
async def handler(event, context):
    import asyncio
    async def parts():
        yield "one "
        await asyncio.sleep(0)
        yield "two"
    return {"status": 200, "body": parts()}
""",
}


@pytest.mark.parametrize("code", GENERATORS.values(), ids=GENERATORS)
def test_each_kind_of_iterator_is_an_answer(bench, code):
    serve(bench, code)
    assert whole(bench) == (200, b"one two")


def test_a_call_gets_the_parts_as_a_whole(bench):
    serve(bench, GENERATORS["a generator"])
    data = {"method": "GET", "path": "/x", "query": {}, "queries": {}, "headers": {}, "body": "", "base64": False}
    said = bench.supervisor.call("f", data, "lamplight.http.request")
    assert (said["status"], said["body"]) == (200, "one two")


def test_megabytes_pass_in_order(bench):
    serve(bench, "def handler(event, context):\n    for n in range(40): yield bytes([n]) * 100_000\n")
    assert whole(bench) == (200, b"".join(bytes([n]) * 100_000 for n in range(40)))


def test_an_error_after_the_first_part_cuts_the_connection_and_is_in_the_log(bench):
    serve(bench, 'def handler(event, context):\n    yield "begun"\n    raise ValueError("halfway")\n')
    _, answer = ask(bench)
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    bench.records.wait("log", level="error")
    assert any("halfway" in text for text in bench.records.texts("f"))
    assert whole(bench, "HEAD")[0] == 200


def test_an_error_before_the_first_part_is_one_of_the_answer(bench):
    serve(bench, 'def handler(event, context):\n    if True: raise ValueError("early")\n    yield "never"\n')
    assert whole(bench)[0] == 500


def test_a_part_that_is_neither_text_nor_bytes_is_told(bench):
    serve(bench, "def handler(event, context):\n    yield 5\n")
    assert whole(bench)[0] == 500
    assert any("text or bytes, not int" in text for text in bench.records.texts("f"))


def test_a_client_that_goes_away_ends_the_generator_by_its_own_finally(bench):
    serve(
        bench,
        """
def handler(event, context):
    try:
        while True: yield "x" * 60_000
    finally: context.log.info("swept up")
""",
        'timeout = "60s"\n',
    )
    connection, answer = ask(bench)
    answer.read(10)
    connection.close()
    answer.close()
    bench.records.wait("log", level="info")
    assert any("swept up" in text for text in bench.records.texts("f"))


def test_a_client_of_http_1_0_gets_the_parts_without_chunks(bench):
    serve(bench, GENERATORS["a generator"])
    head, _, body = raw(bench, b"GET /x HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert body == b"one two"
    assert b"Connection: close" in head


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_by_its_status_sends_none(bench, status):
    serve(bench, f'def handler(event, context): return {{"status": {status}, "body": iter(["x"])}}\n')
    request = b"GET /x HTTP/1.1\r\nHost: pi\r\nConnection: close\r\n\r\n"
    assert raw(bench, request).endswith(b"\r\n\r\n")


def test_a_malformed_head_of_a_stream_is_a_500_that_names_its_part(bench):
    serve(bench, 'def handler(event, context): return {"status": 200, "headers": {"X": None}, "body": iter("ab")}\n')
    status, body = whole(bench)
    assert status == 500
    assert b"X = null" in body


# A worker in a stranger's hands: it sends parts that nobody asked for, and no base64.
HOSTILE = {
    "parts that are nothing": '{"is": "part", "value": {"a": 1}}',
    "parts without waiting": '{"is": "part", "value": "eA=="}',
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_worker_harms_its_own_answer_only(bench, message):
    code = f"""
import os, socket, stat
def handler(event, context):
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                for _ in range(500): os.write(fd, {message.encode()!r})
        except OSError: pass
    return "done"
"""
    neighbour = bench.function('def handler(event, context): return "well"\n', "neighbour")
    hostile = bench.function(code, toml=f'[[triggers]]\ntype = "http"\npath = "/*"\n{EVERY}')
    bench.supervisor.switch(bench.generation(hostile, neighbour))
    try:
        whole(bench)
    except (http.client.HTTPException, ConnectionError):
        pass
    assert bench.supervisor.call("neighbour", None) == "well"
