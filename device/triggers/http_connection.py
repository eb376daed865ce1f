"""One HTTP/1.1 conversation as bytes in and bytes out, on h11; no sockets and no clock.

It refuses what could be read in two ways (RFC 9112, 6.3: both Content-Length and Transfer-Encoding), and what is longer
than allowed, before it is all there. Which requests there are, and who answers them, is http.py's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import h11

# Of request line and headers together, in bytes.
MOST_HEAD = 16 * 1024
# A body in more pieces than this is not sent to be read.
MOST_PIECES = 2048


@dataclass(frozen=True)
class Request:
    """A whole request. `target` as sent; header names in lower case, repeated ones joined with ", "."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """An answer. Length and connection headers are added to `headers`."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


class RefusedError(Exception):
    """The request is not taken: `response` says so, and the conversation ends with it."""

    def __init__(self, response: Response) -> None:
        super().__init__(str(response.status))
        self.response = response


# Given method and target as soon as they are known: the most bytes of a body. Raises RefusedError.
Admit = Callable[[str, str], int]


class Conversation:
    """Requests of one connection, one after the other."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        self._begin()

    def _begin(self) -> None:
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._pieces = 0
        self._most = 0

    @property
    def idle(self) -> bool:
        """Whether nothing of a request has come yet."""
        return self._request is None and not self._http.trailing_data[0]

    def receive(self, data: bytes) -> None:
        """More bytes; none at all when the other side is done."""
        self._http.receive_data(data)

    def next(self) -> Request | None:
        """The request, once it is whole. Raises RefusedError, also EOFError when no other will come."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise RefusedError(plain(error.error_status_hint, str(error))) from None
            if isinstance(event, h11.Request):
                self._start(event)
            elif isinstance(event, h11.Data):
                self._add(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return self._whole()
            elif isinstance(event, h11.ConnectionClosed):
                raise EOFError
            else:
                return None

    def invitation(self) -> bytes:
        """What to send to somebody who waits to be told to go on with a body; empty when nobody does."""
        if not self._http.they_are_waiting_for_100_continue:
            return b""
        return self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""

    def respond(self, response: Response) -> bytes:
        """The bytes of the answer. An answer that cannot be written becomes a 500."""
        try:
            return self._written(response)
        except h11.LocalProtocolError as error:
            return self._written(plain(500, f"the answer cannot be sent: {error}"))

    def again(self) -> bool:
        """After an answer: get ready for the next request. False when the connection has to end."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        self._begin()
        return True

    def _start(self, request: h11.Request) -> None:
        names = [name for name, _ in request.headers]
        if b"transfer-encoding" in names and (b"content-length" in names or request.http_version < b"1.1"):
            raise RefusedError(plain(400, "the length of the body is said in two ways"))
        self._request = request
        self._most = self._admit(request.method.decode("ascii"), request.target.decode("ascii"))
        length = dict(request.headers).get(b"content-length", b"0")
        if int(length) > self._most:
            raise RefusedError(self._too_long())

    def _add(self, data: bytes) -> None:
        self._pieces += 1
        self._body += data
        if len(self._body) > self._most or self._pieces > MOST_PIECES:
            raise RefusedError(self._too_long())

    def _too_long(self) -> Response:
        return plain(413, f"at most {self._most} bytes, in at most {MOST_PIECES} pieces")

    def _whole(self) -> Request:
        assert self._request is not None, "a message has a beginning"
        headers: dict[str, str] = {}
        for name, value in self._request.headers:
            key, text = name.decode("ascii"), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        return Request(
            self._request.method.decode("ascii"), self._request.target.decode("ascii"), headers, bytes(self._body)
        )

    def _written(self, response: Response) -> bytes:
        whole = self._http.their_state is h11.DONE
        bodiless = response.status in (204, 304)
        headers = [*response.headers, *([] if bodiless else [("Content-Length", str(len(response.body)))])]
        ending = [] if whole else [("Connection", "close")]
        head = h11.Response(status_code=response.status, headers=[*headers, *ending])
        method = self._request.method if self._request else b""
        body = b"" if bodiless or method == b"HEAD" else response.body
        sent = [self._http.send(head), self._http.send(h11.Data(data=body)), self._http.send(h11.EndOfMessage())]
        return b"".join(part or b"" for part in sent)


def plain(status: int, text: str) -> Response:
    """An answer for a person."""
    return Response(status, f"{text}\n".encode(), [("Content-Type", "text/plain; charset=utf-8")])
