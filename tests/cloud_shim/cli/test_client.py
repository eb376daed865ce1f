"""The HTTP client where the other side is not as it should be."""

import socket
import threading

import pytest

from cloud_shim.cli.client import Client, Message, parse_events
from device.errors import LamplightError, NotFoundError, OfflineError, RejectedError, UsageError


@pytest.fixture
def answering():
    """Makes a server that gives each connection the same bytes; gives its URL."""
    servers = []

    def make(answer: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield make
    for each in servers:
        each.shutdown(socket.SHUT_RDWR)
        each.close()


def http(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


def test_no_shim_is_offline_with_the_remedy():
    with pytest.raises(OfflineError, match="lamplight up"):
        Client("http://127.0.0.1:1").devices()


def test_no_shim_is_offline_for_a_stream_too():
    with pytest.raises(OfflineError, match="lamplight up"):
        next(Client("http://127.0.0.1:1").follow())


@pytest.mark.parametrize("name", ["..", "a/b", "a?b", "a#b", "a%2Fb", "A", "", "\udcff"])
def test_a_name_leads_nowhere_else_in_the_api(name):
    nobody = Client("http://127.0.0.1:1")
    asks = [
        lambda: nobody.device(name),
        lambda: nobody.rollback(name),
        lambda: nobody.remove("pi", "function", name),
        lambda: nobody.call("pi", name, None),
        lambda: nobody.accept(name, again=False),
        lambda: nobody.set_world(name, {}),
    ]
    for ask in asks:
        with pytest.raises(NotFoundError, match="nothing named"):
            ask()


@pytest.mark.parametrize("name", ["a/b", "\udcff"])
def test_records_are_of_a_name_too(name):
    nobody = Client("http://127.0.0.1:1")
    with pytest.raises(NotFoundError, match="nothing named"):
        nobody.records("pi", function=name)
    with pytest.raises(NotFoundError, match="nothing named"):
        next(nobody.follow(name))


def test_a_silent_shim_is_offline(answering):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(OfflineError, match="in time"):
            Client(url, timeout=0.1).devices()


NO_ADDRESSES = ["desk-pi", "ftp://127.0.0.1", "", "http://[::1", "http://a..b", "http://xn--a", f"http://{'a' * 99}"]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_is_wrong_usage(url):
    with pytest.raises(UsageError):
        Client(url).devices()


@pytest.mark.parametrize(
    ("exit_code", "kind"),
    [(1, LamplightError), (2, UsageError), (3, NotFoundError), (4, OfflineError), (5, RejectedError)],
)
def test_an_error_of_the_shim_arrives_as_what_it_is(answering, exit_code, kind):
    body = f'{{"error": {{"what": "a", "why": "b", "remedy": "c", "exit_code": {exit_code}}}}}'
    with pytest.raises(LamplightError) as caught:
        Client(answering(http("422 Unprocessable", body))).devices()
    assert type(caught.value) is kind
    assert (caught.value.what, caught.value.why, caught.value.remedy) == ("a", "b", "c")


@pytest.mark.parametrize("body", ["<html>", "{}", '{"error": 5}', '{"error": {"exit_code": 99}}', ""])
def test_an_error_of_something_else_is_an_error_all_the_same(answering, body):
    with pytest.raises(LamplightError, match="502"):
        Client(answering(http("502 Bad Gateway", body))).devices()


def test_an_answer_that_is_no_json_is_told(answering):
    with pytest.raises(LamplightError, match="no Lamplight shim"):
        Client(answering(http("200 OK", "<html>welcome"))).devices()


def test_what_is_no_http_at_all_is_told(answering):
    with pytest.raises(OfflineError):
        Client(answering(b"SSH-2.0-OpenSSH_9.2\r\n")).devices()


def test_a_proxy_in_the_environment_is_not_used(answering, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert Client(answering(http("200 OK", '{"devices": []}'))).devices() == []


def test_events_are_read_as_the_standard_says():
    lines = [
        *(": a comment", "event: record", "id: 4", 'data: {"a":', "data: 1}", "retry: 5", ""),
        *("", "event: device", "data:{}", ""),
        "event: cut off",
    ]
    assert list(parse_events(iter(lines))) == [Message("record", {"a": 1}, "4"), Message("device", {}, "4")]
