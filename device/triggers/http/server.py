"""The listening socket of the http trigger: takes connections, gives each a thread, and bounds them.

A slow or greedy client, or one of many, costs its own connection and leaves the others alone. There are three bounds:
on the connections, on a request's time to arrive, on the requests waiting for a function. peer.py serves a connection.
"""

import contextlib
import selectors
import socket
import ssl
import threading
from functools import partial

from device.config import HttpConfig
from device.triggers.http.conversation import Admit
from device.triggers.http.message import Answer
from device.triggers.http.peer import Bounds, Peer, Turns
from device.triggers.http.room import Room


class Server:
    """Serves at once, on a thread of its own. Raises OSError for an unusable address or certificate."""

    def __init__(self, settings: HttpConfig, admit: Admit, answer: Answer, bounds: Bounds | None = None) -> None:
        self._admit = admit
        self._bounds = bounds or Bounds()
        self._ask = partial(Turns(self._bounds).take, answer)
        self._room = Room()
        self._tls = _tls(settings)
        self._listener = _listen(settings)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._woken, self._wake = socket.socketpair()
        self._lock = threading.Lock()
        self._peers: set[Peer] = set()
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection."""
        self._wake.send(b"!")
        self._thread.join()
        for each in (self._listener, self._woken, self._wake):
            each.close()
        with self._lock:
            for peer in self._peers:
                peer.end()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (self._listener, self._woken):
                selector.register(each, selectors.EVENT_READ)
            while all(key.fileobj is self._listener for key, _ in selector.select()):
                self._accept()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            return
        if not self._has_room() or not self._begin(
            Peer(sock, self._tls, self._admit, self._ask, self._bounds, self._room)
        ):
            _turn_away(sock, secured=self._tls is not None)

    def _begin(self, peer: Peer) -> bool:
        """Give it a thread; False when the board has none left."""
        with self._lock:
            self._peers.add(peer)
        try:
            threading.Thread(target=self._serve, args=(peer,), name="http connection", daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._peers.discard(peer)
            return False
        return True

    def _has_room(self) -> bool:
        """Whether there is room for one more; the connection idle for longest may have to go."""
        with self._lock:
            if len(self._peers) < self._bounds.connections:
                return True
            idle = [each for each in self._peers if each.idle]
            if not idle:
                return False
            oldest = min(idle, key=lambda peer: peer.deadline)
            self._peers.discard(oldest)
        oldest.end()
        return True

    def _serve(self, peer: Peer) -> None:
        peer.serve()
        with self._lock:
            self._peers.discard(peer)


def try_out(settings: HttpConfig) -> None:
    """Raise OSError when a Server would fail now: its address is taken, or its certificate unusable."""
    _tls(settings)
    _listen(settings).close()


def _listen(settings: HttpConfig) -> socket.socket:
    return socket.create_server(
        (settings.host, settings.port), family=_family(settings.host), backlog=128, reuse_port=False
    )


def _tls(settings: HttpConfig) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    return context


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _turn_away(sock: socket.socket, secured: bool) -> None:
    """Tell one too many to come back; with TLS it is closed, for an answer would be costly."""
    with sock, contextlib.suppress(OSError):
        if not secured:
            sock.send(
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            sock.shutdown(socket.SHUT_WR)
