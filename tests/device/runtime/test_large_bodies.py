"""Bodies too long for an event: a file in the worker's scratch folder, within bounds for all clients together."""

import hashlib
import http.client
import socket

import pytest
from test_trigger_set import served

from device.config import HttpConfig
from device.protocol.errors import ProtocolError
from device.triggers.http.room import Room

MIB = 1024 * 1024
HASH = """
import base64, hashlib, os, pathlib
def handler(event, context):
    file = event.data.get("file")
    said = event.data["body"]
    body = base64.b64decode(said) if event.data["base64"] else said.encode()
    body = pathlib.Path(file).read_bytes() if file else body
    beside = len(os.listdir(os.path.dirname(file))) if file else 0
    return [hashlib.sha256(body).hexdigest(), bool(file), beside, event.data["body"] == ""]
"""
FLASK = """
from flask import Flask, request
handler = Flask(__name__)
handler.post("/x")(lambda: [__import__("hashlib").sha256(request.get_data()).hexdigest()])
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = served(tmp_path_factory.mktemp("bodies"), HttpConfig(port=0))
    yield bench
    bench.supervisor.close()


def serve(bench, code=HASH, limit="16M", more="", packages=()):
    toml = f'memory = "128M"\n{more}[[triggers]]\ntype = "http"\npath = "/x"\nlimit = "{limit}"\n'
    function = bench.function(code, toml=toml)
    bench.run(bench.with_packages(function, *packages) if packages else function)


def post(bench, body, **options):
    connection = http.client.HTTPConnection("127.0.0.1", bench.sources.port, timeout=120)
    connection.request("POST", "/x", body, **options)
    answer = connection.getresponse()
    result = answer.status, answer.read()
    connection.close()
    return result


def digest(body):
    return hashlib.sha256(body).hexdigest().encode()


def test_a_large_body_is_a_file_while_the_event_is_handled(bench):
    serve(bench)
    for size in (64 * 1024 + 1, 16 * MIB, 64 * 1024):
        body = b"\xffx" * (size // 2) + b"y" * (size % 2)
        status, said = post(bench, body)
        assert status == 200
        assert digest(body) in said
        # One file at a time: the one before is gone.
        large = size > 64 * 1024
        assert said.decode().endswith(f"{str(large).lower()}, {int(large)}, {str(large).lower()}]")


def test_one_in_chunks_too(bench):
    serve(bench)
    pieces = [bytes([n % 256]) * 50_000 for n in range(100)]
    status, said = post(bench, iter(pieces), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert status == 200
    assert digest(b"".join(pieces)) in said


def test_one_beyond_the_limit_is_refused_before_it_has_come(bench):
    serve(bench, limit="1M")
    with socket.create_connection(("127.0.0.1", bench.sources.port), timeout=60) as sock:
        sock.sendall(b"POST /x HTTP/1.1\r\nHost: pi\r\nContent-Length: %d\r\n\r\n" % (MIB + 1))
        assert sock.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_web_application_reads_it_as_any_other(bench):
    serve(bench, FLASK, packages=["flask"])
    body = b"abc" * MIB
    assert digest(body) in post(bench, body)[1]


def test_a_function_that_filled_its_scratch_folder_is_told_so(bench):
    fill = """
import os, pathlib
pathlib.Path("filler").write_bytes(bytes(15 << 20))
def handler(event, context): return "taken"
"""
    serve(bench, fill)
    status, _ = post(bench, bytes(8 * MIB))
    if status == 500:
        assert any("No space left" in text for text in bench.records.texts("f"))
    else:
        # No quota without a scratch folder in memory.
        assert status == 200
    assert post(bench, b"small") == (200, b"taken")


def test_clients_that_begin_large_bodies_and_stop_leave_the_small_ones_alone(bench):
    serve(bench)
    begin = b"POST /x HTTP/1.1\r\nHost: pi\r\nContent-Length: %d\r\n\r\n" % (16 * MIB)
    holding = [socket.create_connection(("127.0.0.1", bench.sources.port), timeout=60) for _ in range(2)]
    try:
        for sock in holding:
            sock.sendall(begin + b"x")
        # Both have their room once a third is told that there is none.
        statuses = set()
        while 503 not in statuses:
            with socket.create_connection(("127.0.0.1", bench.sources.port), timeout=60) as third:
                third.sendall(begin + b"Expect: 100-continue")
                third.settimeout(1)
                try:
                    statuses.add(int(third.recv(100).split(b" ")[1]))
                except TimeoutError:
                    pass
        assert post(bench, b"small")[0] == 200
    finally:
        for sock in holding:
            sock.close()
    while post(bench, bytes(16 * MIB))[0] != 200:
        pass


def test_room_is_taken_and_given_back():
    room = Room(10)
    assert room.take(6)
    assert not room.take(5)
    room.give(6)
    assert room.take(10)


def test_a_limit_without_room_in_the_scratch_folder_is_refused(bench):
    with pytest.raises(ProtocolError, match="raise scratch"):
        serve(bench, more='scratch = "1M"\n')
