"""The sockets under the http trigger: one thread watches them all, a few others wait for the functions.

Everything is bounded, so that a client that is slow, greedy or many costs its own connection and nobody else's: how
many connections there are, how long a request may take to arrive, how many wait for a function. What HTTP means is
http_connection.py's.
"""

import contextlib
import logging
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from device.config import HttpConfig
from device.triggers.http_connection import Admit, Conversation, RefusedError, Request, Response, plain

_READ = selectors.EVENT_READ
_WRITE = selectors.EVENT_WRITE
_ROOM = 64 * 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """Durations in seconds: `arrive` for a whole request, `rest` between two, `leave` for taking the answer.

    `connections` may be open, `threads` wait for functions, and `waiting` more requests for them.
    """

    connections: int = 64
    threads: int = 8
    waiting: int = 32
    arrive: float = 15.0
    rest: float = 30.0
    leave: float = 15.0


class _Peer:
    """One connection. `stage` is reading, answering, writing or ending; at `deadline` it is over."""

    def __init__(self, sock: socket.socket, admit: Admit, deadline: float) -> None:
        self.sock = sock
        self.conversation = Conversation(admit)
        self.stage = "reading"
        self.deadline = deadline
        self.out = b""
        self.last = False


class Server:
    """Serves at once, on a thread of its own. Raises OSError when the address or the certificate cannot be used."""

    def __init__(
        self, settings: HttpConfig, admit: Admit, answer: Callable[[Request], Response], bounds: Bounds | None = None
    ) -> None:
        self._admit = admit
        self._answer = answer
        self._bounds = bounds or Bounds()
        self._tls = _tls(settings)
        self._listener = socket.create_server(
            (settings.host, settings.port), family=_family(settings.host), backlog=128, reuse_port=False
        )
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._woken, self._wake = socket.socketpair()
        self._peers: set[_Peer] = set()
        self._answered: deque[tuple[_Peer, Response]] = deque()
        self._pool = ThreadPoolExecutor(self._bounds.threads, thread_name_prefix="http")
        self._places = threading.BoundedSemaphore(self._bounds.threads + self._bounds.waiting)
        self._closed = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, _READ)
        self._selector.register(self._woken, _READ)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection."""
        self._closed = True
        self._nudge()
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for each in (*(peer.sock for peer in self._peers), self._listener, self._woken, self._wake):
            each.close()
        self._selector.close()

    # --- the thread that watches ---

    def _run(self) -> None:
        while not self._closed:
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._woken:
                    self._woken.recv(4096)
                else:
                    self._guarded(key.data, self._move)
            while self._answered:
                peer, response = self._answered.popleft()
                if peer in self._peers:
                    self._guarded(peer, lambda peer, response=response: self._send(peer, response))
            self._end_late()

    def _patience(self) -> float | None:
        times = [peer.deadline for peer in self._peers if peer.stage != "answering"]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _end_late(self) -> None:
        now = time.monotonic()
        for peer in [each for each in self._peers if each.stage != "answering" and each.deadline <= now]:
            if peer.stage == "reading" and not peer.conversation.idle:
                peer.conversation.receive(b"")
                self._guarded(peer, lambda peer: self._refuse(peer, plain(408, "the request took too long to arrive")))
            else:
                self._drop(peer)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self._peers) >= self._bounds.connections and not self._make_room():
            _turn_away(sock, secured=self._tls is not None)
            return
        if self._tls:
            sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        peer = _Peer(sock, self._admit, time.monotonic() + self._bounds.arrive)
        self._peers.add(peer)
        self._selector.register(sock, _READ, peer)

    def _make_room(self) -> bool:
        """End the connection that has been idle longest, between two requests or before its first."""
        idle = [each for each in self._peers if each.stage == "reading" and each.conversation.idle]
        if idle:
            self._drop(min(idle, key=lambda peer: peer.deadline))
        return bool(idle)

    def _guarded(self, peer: _Peer, step: Callable[[_Peer], None]) -> None:
        try:
            step(peer)
        except ssl.SSLWantReadError:
            self._watch(peer, _READ)
        except ssl.SSLWantWriteError:
            self._watch(peer, _WRITE)
        except BlockingIOError:
            pass
        except (OSError, EOFError):
            self._drop(peer)
        except Exception:
            _log.exception("A connection is ended")
            self._drop(peer)

    def _move(self, peer: _Peer) -> None:
        if peer.stage == "writing":
            self._write(peer)
        elif peer.stage == "ending":
            # What was still on its way is taken and thrown away: closing at once could cut off the answer.
            if not peer.sock.recv(_ROOM):
                self._drop(peer)
        else:
            self._read(peer)

    def _read(self, peer: _Peer) -> None:
        while True:
            fresh = peer.conversation.idle
            data = peer.sock.recv(_ROOM)
            if fresh:
                peer.deadline = time.monotonic() + self._bounds.arrive
            peer.conversation.receive(data)
            self._proceed(peer)
            # TLS may hold decrypted bytes that no selector knows of.
            if peer.stage != "reading" or not isinstance(peer.sock, ssl.SSLSocket):
                return

    def _proceed(self, peer: _Peer) -> None:
        """Go as far as what has arrived goes."""
        try:
            request = peer.conversation.next()
        except RefusedError as refused:
            self._refuse(peer, refused.response)
            return
        if request is None:
            if invitation := peer.conversation.invitation():
                peer.sock.send(invitation)
            return
        if not self._places.acquire(blocking=False):
            self._send(peer, Response(503, b"too many requests wait already\n", [("Retry-After", "1")]))
            return
        peer.stage = "answering"
        self._watch(peer, 0)
        self._pool.submit(self._work, peer, request)

    def _refuse(self, peer: _Peer, response: Response) -> None:
        peer.last = True
        self._send(peer, response)

    def _send(self, peer: _Peer, response: Response) -> None:
        peer.out = peer.conversation.respond(response)
        peer.stage = "writing"
        peer.deadline = time.monotonic() + self._bounds.leave
        self._watch(peer, _WRITE)
        self._write(peer)

    def _write(self, peer: _Peer) -> None:
        while peer.out:
            peer.out = peer.out[peer.sock.send(peer.out) :]
        if peer.last or not peer.conversation.again():
            peer.stage = "ending"
            peer.deadline = time.monotonic() + 1.0
            self._watch(peer, _READ)
            peer.sock.shutdown(socket.SHUT_WR)
            return
        peer.stage = "reading"
        peer.deadline = time.monotonic() + self._bounds.rest
        self._watch(peer, _READ)
        # The next request may have come along with this one.
        self._proceed(peer)

    def _watch(self, peer: _Peer, events: int) -> None:
        registered = peer.sock.fileno() in self._selector.get_map()
        if registered and events:
            self._selector.modify(peer.sock, events, peer)
        elif registered:
            self._selector.unregister(peer.sock)
        elif events:
            self._selector.register(peer.sock, events, peer)

    def _drop(self, peer: _Peer) -> None:
        self._watch(peer, 0)
        self._peers.discard(peer)
        peer.sock.close()

    # --- the threads that wait for functions ---

    def _work(self, peer: _Peer, request: Request) -> None:
        try:
            self._answered.append((peer, self._answer(request)))
        finally:
            self._places.release()
        self._nudge()

    def _nudge(self) -> None:
        with contextlib.suppress(OSError):
            self._wake.send(b"!")


def _tls(settings: HttpConfig) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    return context


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _turn_away(sock: socket.socket, secured: bool) -> None:
    """Tell one too many to come back; with TLS there is no cheap way to say it."""
    with sock, contextlib.suppress(OSError):
        if not secured:
            sock.send(
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            sock.shutdown(socket.SHUT_WR)
