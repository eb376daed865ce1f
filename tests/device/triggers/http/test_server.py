"""The HTTP server over real sockets, with clients that behave and clients that do not."""

import http.client
import re
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from device.config import HttpConfig
from device.triggers.http.body import MOST_PIECES
from device.triggers.http.head import MOST_HEAD
from device.triggers.http.message import RefusedError, Response, plain
from device.triggers.http.peer import Bounds
from device.triggers.http.server import Server
from tests.support import until

LIMIT = 64 * 1024
QUICK = Bounds(connections=4, threads=2, waiting=2, arrive=0.3, rest=0.3, leave=0.3)
PATIENT = Bounds(connections=4, threads=2, waiting=2)


def admit(method, target):
    if target == "/none":
        raise RefusedError(plain(404, "nothing here"))
    return LIMIT


def echo(request, outlet=None):
    return Response(200, request.body or request.target.encode(), [("X-Method", request.method)])


@pytest.fixture
def serve():
    servers = []

    def serve(answer=echo, bounds=None, settings=None):
        servers.append(Server(settings or HttpConfig(port=0), admit, answer, bounds))
        return servers[-1].port

    serve.servers = servers
    yield serve
    for each in servers:
        each.close()


def raw(port, data, half=False):
    """Everything that the server says to these bytes until it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(data)
        if half:
            sock.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while part := sock.recv(65536):
                got += part
        except ConnectionResetError:
            pass
        return got


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer else 0


def get(port, target="/x"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", target)
    answer = connection.getresponse()
    result = answer.status, answer.read()
    connection.close()
    return result


# --- clients that behave ---


def test_several_requests_go_over_one_connection(serve):
    connection = http.client.HTTPConnection("127.0.0.1", serve(), timeout=30)
    for n in range(3):
        connection.request("POST", f"/{n}", body=b"b" * n)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"b" * n or b"/0")
    connection.close()


def test_requests_sent_all_at_once_are_answered_in_order(serve):
    ask = b"".join(b"GET /n%d HTTP/1.1\r\nHost: pi\r\n\r\n" % n for n in range(5))
    got = raw(serve(), ask + b"GET /last HTTP/1.1\r\nHost: pi\r\nConnection: close\r\n\r\n")
    assert re.findall(rb"/(n\d|last)", got) == [b"n0", b"n1", b"n2", b"n3", b"n4", b"last"]


def test_a_body_in_chunks_arrives_whole(serve):
    connection = http.client.HTTPConnection("127.0.0.1", serve(), timeout=30)
    connection.request(
        "POST", "/x", body=iter([b"one ", b"two"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
    )
    assert connection.getresponse().read() == b"one two"
    connection.close()


def test_whoever_waits_to_be_told_to_go_on_is_told(serve):
    with socket.create_connection(("127.0.0.1", serve()), timeout=30) as sock:
        sock.sendall(b"POST /x HTTP/1.1\r\nHost: pi\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"ok")
        assert sock.recv(1000).endswith(b"ok")


def test_head_has_no_body_and_no_content_has_no_length(serve):
    port = serve(lambda request, outlet: Response(204) if request.target == "/no" else echo(request))
    head = raw(port, b"HEAD /x HTTP/1.1\r\nHost: pi\r\nConnection: close\r\n\r\n")
    assert b"Content-Length: 2" in head
    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in raw(port, b"GET /no HTTP/1.1\r\nHost: pi\r\nConnection: close\r\n\r\n")


def test_an_answer_longer_than_any_buffer_arrives_whole(serve):
    body = b"x" * 5_000_000
    assert get(serve(lambda request, outlet: Response(200, body))) == (200, body)


def test_http_1_0_is_answered_and_hung_up_on(serve):
    assert raw(serve(), b"GET /old HTTP/1.0\r\n\r\n").endswith(b"/old")


def make_certificate(folder):
    """A certificate for loopback that signs itself, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pi")])
    now, names = datetime.now(UTC), [x509.IPAddress(ip_address("127.0.0.1"))]
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    made = builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, SHA256())
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def test_tls_when_there_is_a_certificate_and_nothing_without_it(serve, tmp_path):
    certificate, key = make_certificate(tmp_path)
    port = serve(settings=HttpConfig(port=0, certificate=certificate, key=key))
    trusting = ssl.create_default_context(cafile=str(certificate))
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=30)
    for body in (b"one", b"x" * LIMIT):
        connection.request("POST", "/x", body=body)
        assert connection.getresponse().read() == body
    connection.close()
    assert b"200 OK" not in raw(port, b"GET /x HTTP/1.1\r\nHost: pi\r\n\r\n")


# --- clients that do not ---

HEAD = b"POST /x HTTP/1.1\r\nHost: pi\r\n"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("both lengths", HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("both lengths, reversed", HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
        ("two lengths", HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nGET /"),
        ("a length with a sign", HEAD + b"Content-Length: +4\r\n\r\nabcd"),
        ("a length with a comma", HEAD + b"Content-Length: 4, 5\r\n\r\nabcd"),
        ("an encoding that hides chunked", HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ("two encodings", HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
        ("a space before the colon", HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        ("chunks in HTTP 1.0", b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("a chunk with a wrong length", HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n"),
        ("a chunk of negative length", HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n"),
        ("a chunk of endless length", HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n"),
        ("a line end without a carriage return", b"GET /x HTTP/1.1\nHost: pi\n\n\r\n\r\n"),
        ("a bare line feed that hides a header", HEAD + b"X: y\nContent-Length: 9\r\n\r\n"),
        ("a bare carriage return", HEAD + b"X: y\rContent-Length: 9\r\n\r\n"),
        ("a folded header", HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
        ("chunked twice", HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        ("an empty length", HEAD + b"Content-Length:\r\n\r\n"),
        ("a length in other digits", HEAD + b"Content-Length: \xb2\r\n\r\n"),
        ("one length twice", HEAD + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
        ("a chunk that ends in a line feed", HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\n\r\n0\r\n\r\n"),
        ("a chunk of length 0x1", HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n"),
        ("a chunk with a bare line feed", HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n"),
        ("a trailer that is none", HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n"),
        ("two spaces", b"GET  /x HTTP/1.1\r\nHost: pi\r\n\r\n"),
        ("a target with a space", b"GET /x y HTTP/1.1\r\nHost: pi\r\n\r\n"),
        ("no target", b"GET HTTP/1.1\r\nHost: pi\r\n\r\n"),
        ("another version", b"GET /x HTTP/2.0\r\nHost: pi\r\n\r\n"),
        ("no host", b"GET /x HTTP/1.1\r\n\r\n"),
        ("two hosts", b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("a zero byte", b"GET /x HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"),
        ("no http at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ],
)
def test_request_smuggling_and_malformed_requests_are_refused_and_hung_up_on(serve, name, sent):
    got = raw(serve(), sent + b"GET /smuggled HTTP/1.1\r\nHost: pi\r\n\r\n")
    assert status(got) in (400, 501), got
    assert b"smuggled" not in got
    assert got.count(b"HTTP/1.1") == 1


def test_a_header_bomb_is_refused_before_it_has_arrived(serve):
    got = raw(serve(), b"GET /x HTTP/1.1\r\nHost: pi\r\n" + b"X: y\r\n" * MOST_HEAD)
    assert status(got) == 431


def test_an_endless_request_line_is_refused(serve):
    assert status(raw(serve(), b"GET /" + b"a" * (2 * MOST_HEAD))) in (400, 414, 431)


def test_a_body_that_says_it_is_too_long_is_refused_before_it_is_sent(serve):
    assert status(raw(serve(), HEAD + b"Content-Length: %d\r\n\r\n" % (LIMIT + 1))) == 413


@pytest.mark.parametrize("length", [b"9" * 19, b"9" * 400])
def test_a_body_of_astronomic_length_is_refused(serve, length):
    assert status(raw(serve(), HEAD + b"Content-Length: " + length + b"\r\n\r\n")) in (400, 413)


def test_chunks_that_never_end_are_refused_at_the_limit(serve):
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    assert status(raw(serve(), HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * (LIMIT // 0x1000 + 1))) == 413


def test_a_body_in_crumbs_is_refused(serve):
    crumbs = b"1\r\nx\r\n" * (MOST_PIECES + 1)
    assert status(raw(serve(), HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + crumbs)) == 413


def test_what_nobody_serves_is_refused_without_reading_its_body(serve):
    got = raw(serve(), b"POST /none HTTP/1.1\r\nHost: pi\r\nContent-Length: 60000\r\n\r\n")
    assert status(got) == 404
    assert b"connection: close" in got.lower()


def test_a_slowloris_is_told_that_it_took_too_long_and_nobody_else_waits_for_it(serve):
    port = serve(bounds=QUICK)
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(raw, port, b"GET /x HTTP/1.1\r\nHost: p") for _ in range(3)]
        assert get(port)[0] == 200
        assert [status(each.result()) for each in slow] == [408] * 3


def test_a_client_that_says_nothing_is_hung_up_on(serve):
    assert raw(serve(bounds=QUICK), b"") == b""


def test_a_client_that_does_not_take_its_answer_is_dropped(serve):
    port = serve(lambda request, outlet: Response(200, b"x" * 20_000_000), QUICK)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(b"GET /x HTTP/1.1\r\nHost: pi\r\n\r\n")
        (server,) = serve.servers
        until(lambda: server._peers, "it is connected")
        until(lambda: not server._peers, "it is dropped")
        got = 0
        while part := sock.recv(1 << 20):
            got += len(part)
        assert got < 20_000_000


def test_one_too_many_is_told_to_come_back_and_an_idle_one_makes_room(serve):
    held, begun, answered = threading.Event(), threading.Semaphore(0), []

    def slow(request, outlet):
        begun.release()
        held.wait(30)
        return echo(request)

    port = serve(slow, Bounds(connections=2, threads=2, waiting=0))
    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(get, port) for _ in range(2)]
        for _ in busy:
            assert begun.acquire(timeout=30)
        answered.append(raw(port, b"GET /x HTTP/1.1\r\nHost: pi\r\n\r\n"))
        held.set()
        assert [each.result()[0] for each in busy] == [200, 200]
    assert status(answered[0]) in (503, 0)
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
    assert get(port)[0] == 200
    for each in idle:
        each.close()


def test_a_board_without_a_thread_to_spare_turns_a_connection_away_and_goes_on(serve, monkeypatch):
    port, start = serve(), threading.Thread.start

    def fail(thread):
        if thread.name == "http connection":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        assert status(raw(port, b"GET /x HTTP/1.1\r\nHost: pi\r\n\r\n")) in (503, 0)
    assert get(port) == (200, b"/x")
    (server,) = serve.servers
    until(lambda: not server._peers, "nothing is left behind")


def test_more_requests_than_may_wait_are_told_to_come_back_later(serve):
    held, begun = threading.Event(), threading.Semaphore(0)

    def slow(request, outlet):
        begun.release()
        held.wait(30)
        return echo(request)

    port = serve(slow, Bounds(connections=16, threads=1, waiting=0))
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(get, port)
        assert begun.acquire(timeout=30)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/x")
        refused = connection.getresponse()
        assert (refused.status, refused.getheader("Retry-After")) == (503, "1")
        refused.read()
        held.set()
        assert busy.result()[0] == 200
        # The connection was kept.
        connection.request("GET", "/again")
        assert connection.getresponse().read() == b"/again"
        connection.close()


def test_clients_that_come_and_vanish_leave_nothing_behind(serve):
    port = serve(bounds=PATIENT)
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(b"POST /x HTTP/1.1\r\nHost: pi\r\nContent-Length: 9\r\n\r\nabc")
    assert get(port)[0] == 200


def test_an_answer_that_would_split_the_response_is_an_error(serve):
    port = serve(lambda request, outlet: Response(200, b"", [("X-A", "b\r\nSet-Cookie: evil=1")]))
    got = raw(port, b"GET /x HTTP/1.1\r\nHost: pi\r\nConnection: close\r\n\r\n")
    assert status(got) == 500
    assert b"\r\nSet-Cookie" not in got
