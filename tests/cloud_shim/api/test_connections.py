"""Half-sent requests against a real server: each ends, and none keeps others out."""

import socket
import threading

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cloud_shim.api.connections import BoundedConnection


class Hasty(BoundedConnection):
    PATIENCE = 0.5
    MOST = 10


class Crowded(BoundedConnection):
    PATIENCE = 3600.0
    MOST = 10


def hello(_):
    return PlainTextResponse("hello")


@pytest.fixture
def serve(until):
    running = []

    def start(protocol):
        app = Starlette(routes=[Route("/", hello, methods=["GET", "POST"])])
        config = uvicorn.Config(app, http=protocol, ws="none", log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        running.append((server, thread))
        until(lambda: server.started, "the server")
        return listener.getsockname()[1]

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(20)


def begun(port, text):
    made = socket.create_connection(("127.0.0.1", port), timeout=20)
    made.sendall(text)
    return made


def ended(connection):
    """Whether the server has closed it; waits for that."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
        # Answered before its body has come, and the body never does.
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nsome",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: ",
    ],
    ids=["silent", "half a head", "half a refused body", "half a second head"],
)
def test_a_connection_that_comes_to_no_point_ends(serve, text):
    assert ended(begun(serve(Hasty), text))


def test_a_head_that_trickles_ends_too(serve, until):
    connection = begun(serve(Hasty), b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")

    def refused():
        try:
            connection.sendall(b"a")
        except OSError:
            return True
        return False

    until(refused, "the end of a trickling head")


def test_however_many_half_sent_heads_there_are_the_oldest_go_and_others_are_served(serve):
    port = serve(Crowded)
    held = [begun(port, b"GET / HTTP/1.1\r\nX: ") for _ in range(60)]
    assert httpx.get(f"http://127.0.0.1:{port}/").text == "hello"
    assert all(ended(each) for each in held[:40])
    # The newest may still finish.
    held[-1].sendall(b"y\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert held[-1].recv(4096).startswith(b"HTTP/1.1 200")


def test_a_request_in_progress_and_the_ones_after_it_on_one_connection_are_answered(serve):
    with httpx.Client(base_url=f"http://127.0.0.1:{serve(Hasty)}") as client:
        assert [client.get("/").text for _ in range(30)] == ["hello"] * 30
