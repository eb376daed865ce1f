"""One connection of the HTTP server, in a thread of its own: requests in, answers out, each within its time.

The reading thread also asks the function and sends the answer, so a request stays in one thread. server.py bounds the
connections; conversation.py knows HTTP.
"""

import contextlib
import logging
import socket
import ssl
import threading
import time
from dataclasses import dataclass, replace

from device.protocol.triggers import USUAL_BODY
from device.triggers.http.conversation import Admit, Conversation
from device.triggers.http.message import Answer, Outlet, RefusedError, Request, Response, plain
from device.triggers.http.outlet import ClientOutlet
from device.triggers.http.room import Room

_ROOM = 64 * 1024
# Seconds for a client's bytes still on their way after the last answer.
_GOODBYE = 1.0
# The first status that tells of a failure of the function.
_FAILED = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """Durations in seconds: `arrive` for a whole request, `rest` between two, `leave` for taking the answer.

    A large body has longer: what `slowest` bytes a second need for it.

    `connections` may be open, `threads` of them be with a function, and `waiting` more wait for their turn.
    """

    connections: int = 64
    threads: int = 8
    waiting: int = 32
    arrive: float = 15.0
    rest: float = 30.0
    leave: float = 15.0
    slowest: float = 256 * 1024.0


class Turns:
    """The turns of requests at the functions, for all connections of a server."""

    def __init__(self, bounds: Bounds) -> None:
        self._lock = threading.Lock()
        self._left = bounds.threads + bounds.waiting
        self._turns = threading.Semaphore(bounds.threads)

    def take(self, answer: Answer, request: Request, outlet: Outlet) -> Response:
        """The answer, once it is this request's turn; at once a 503 when too many wait already."""
        if not self._enter():
            return Response(503, b"too many requests wait already\n", [("Retry-After", "1")])
        try:
            with self._turns:
                return answer(request, outlet)
        finally:
            with self._lock:
                self._left += 1

    def _enter(self) -> bool:
        with self._lock:
            if not self._left:
                return False
            self._left -= 1
            return True


class Peer:
    """The client at the other end of `sock`. `tls` is the context to speak TLS in, or None."""

    def __init__(
        self,
        sock: socket.socket,
        tls: ssl.SSLContext | None,
        admit: Admit,
        ask: Answer,
        bounds: Bounds,
        room: Room,
    ) -> None:
        self._sock = sock
        self._tls = tls
        self._ask = ask
        self._bounds = bounds
        self._conversation = Conversation(admit)
        self._room = room
        self._taken = 0
        # The time for the awaited bytes to be there; while it is idle, all the later the fresher it is.
        self.deadline = time.monotonic() + bounds.arrive
        self.idle = True

    def end(self) -> None:
        """Hang up; the serving thread finds out. Any thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Serve until the conversation is over, or a fault or a deadline ends it. Every error ends here."""
        try:
            self._converse()
        except (OSError, EOFError):
            # It went, or was too slow.
            pass
        except Exception:
            _log.exception("A connection is ended")
        finally:
            self._leave_room()
            self._sock.close()

    def _converse(self) -> None:
        self._secure()
        try:
            while self._exchange():
                self._expect(self._bounds.rest)
        except RefusedError as refused:
            self._write(self._conversation.respond(refused.response))
        self._say_goodbye()

    def _secure(self) -> None:
        if self._tls:
            self._sock.settimeout(self._bounds.arrive)
            self._sock = self._tls.wrap_socket(self._sock, server_side=True)

    def _exchange(self) -> bool:
        request = self._receive()
        self.idle = False
        outlet = ClientOutlet(self._conversation, self._write)
        response = self._ask(request, outlet)
        if outlet.begun:
            outlet.end(whole=response.status < _FAILED)
        else:
            self._write(self._conversation.respond(response))
        self._leave_room()
        return self._conversation.again()

    def _receive(self) -> Request:
        conversation = self._conversation
        while (request := conversation.next()) is None:
            if not self._taken and conversation.expected > USUAL_BODY:
                self._make_room(conversation.expected)
            if invitation := conversation.invitation():
                self._sock.sendall(invitation)
            self.idle = conversation.idle
            data = self._read()
            if self.idle:
                self._expect(self._bounds.arrive)
            conversation.receive(data)
        return request

    def _make_room(self, size: int) -> None:
        """For a large body, which also has more time to arrive. Raises RefusedError."""
        if not self._room.take(size):
            busy = plain(503, "other large requests are on their way")
            raise RefusedError(replace(busy, headers=[*busy.headers, ("Retry-After", "5")]))
        self._taken = size
        self._expect(self._bounds.arrive + size / self._bounds.slowest)

    def _leave_room(self) -> None:
        self._room.give(self._taken)
        self._taken = 0

    def _read(self) -> bytes:
        try:
            return self._recv()
        except TimeoutError:
            if self.idle:
                raise
            raise RefusedError(plain(408, "the request took too long to arrive")) from None

    def _recv(self) -> bytes:
        self._sock.settimeout(self._left())
        return self._sock.recv(_ROOM)

    def _write(self, data: bytes) -> None:
        self._expect(self._bounds.leave)
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(self._left())
            rest = rest[self._sock.send(rest) :]

    def _say_goodbye(self) -> None:
        """Take the bytes still on their way and throw them away: closing at once could cut off the answer."""
        self._expect(_GOODBYE)
        self._sock.shutdown(socket.SHUT_WR)
        while self._recv():
            pass

    def _expect(self, within: float) -> None:
        self.deadline = time.monotonic() + within

    def _left(self) -> float:
        """Seconds until the deadline; raises TimeoutError once it has passed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
