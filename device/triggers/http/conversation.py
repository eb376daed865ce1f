"""One HTTP/1.1 conversation as bytes in and bytes out; sockets and clock are the caller's.

It refuses ambiguous and oversized requests before they are all there. Written by hand, because a general parser in
Python took as long as the rest of a request's work on the board. trigger.py knows the requests and their functions.
"""

import re
from collections.abc import Callable

from device.triggers.http import head as http_head
from device.triggers.http.body import Body, Chunked, Sized
from device.triggers.http.head import MOST_HEAD, Head
from device.triggers.http.message import Request, Response, plain, refused

# Given method and target as soon as they are known: the most bytes of a body. Raises RefusedError.
Admit = Callable[[str, str], int]

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_VALUE = re.compile(r"[\t\x20-\x7e]*").fullmatch
# Answers of these never have a body (RFC 9110, 6.4.1).
_BODILESS = (204, 304)


class Conversation:
    """Requests of one connection, one after the other."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit
        self._buffer = bytearray()
        self._ended = False
        self._begin()

    def _begin(self) -> None:
        self._head: Head | None = None
        self._body: Body | None = None
        self._whole = False
        self._invited = False
        # Of an answer in parts: how its end is told, by a last chunk or by the connection's end.
        self._chunked = self._last_by_body = False
        # So much of the buffer has no end of a head in it.
        self._searched = 0

    @property
    def idle(self) -> bool:
        """Whether the next request is still to begin."""
        return self._head is None and not self._buffer

    @property
    def expected(self) -> int:
        """The most bytes of the body on its way; 0 before its head is there."""
        return self._body.most if self._body else 0

    def receive(self, data: bytes) -> None:
        """Take more bytes; empty when the other side is done."""
        self._buffer += data
        self._ended = self._ended or not data

    def next(self) -> Request | None:
        """The request, once it is whole. Raises RefusedError; EOFError when the other side is done."""
        head = self._head = self._head or self._read_head()
        if head is None:
            return None
        self._body = self._body or self._expected(head)
        body = self._body.take(self._buffer)
        if body is None:
            self._check_end()
            return None
        self._whole = True
        return Request(head.method, head.target, head.headers, body)

    def invitation(self) -> bytes:
        """The bytes for a client that waits before it sends its body; empty when none waits."""
        if not self._head or not self._head.asks or self._invited or self._buffer:
            return b""
        self._invited = True
        return b"HTTP/1.1 100 \r\n\r\n"

    def respond(self, response: Response) -> bytes:
        """The bytes of the answer. A malformed answer becomes a 500."""
        return self._written(_checked(response))

    def begin(self, head: Response) -> tuple[bytes, bool]:
        """The head of an answer in parts, and whether its body may follow: `part` by part, then `end`."""
        head = _checked(head)
        if head.body:
            return self._written(head), False
        self._chunked = self._head is not None and self._head.new
        self._last_by_body = not self._chunked
        framing = "Transfer-Encoding: chunked\r\n" if self._chunked and head.status not in _BODILESS else ""
        return self._start(head, framing), not self._bodiless(head)

    def part(self, data: bytes) -> bytes:
        """The bytes of one part; not empty."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data

    def end(self) -> bytes:
        """The bytes after the last part."""
        return b"0\r\n\r\n" if self._chunked else b""

    def again(self) -> bool:
        """After an answer: get ready for the next request. False when the connection has to end."""
        if self._last:
            return False
        self._begin()
        return True

    @property
    def _last(self) -> bool:
        return self._last_by_body or not self._whole or self._head is None or self._head.last

    def _read_head(self) -> Head | None:
        start = self._buffer.find(http_head.END, self._searched)
        end = start + len(http_head.END)
        if start < 0 or end > MOST_HEAD:
            if len(self._buffer) > MOST_HEAD:
                raise refused(431, f"the request line and the headers have at most {MOST_HEAD} bytes")
            self._searched = max(0, len(self._buffer) - len(http_head.END))
            self._check_end()
            return None
        block = bytes(memoryview(self._buffer)[:end])
        del self._buffer[:end]
        return http_head.parse(block)

    def _check_end(self) -> None:
        if not self._ended:
            return
        if self.idle:
            raise EOFError
        raise refused(400, "the request ended before it was whole")

    def _expected(self, head: Head) -> Body:
        most = self._admit(head.method, head.target)
        return Chunked(most) if head.length is None else Sized(head.length, most)

    def _written(self, response: Response) -> bytes:
        bodiless = response.status in _BODILESS
        head = self._start(response, "" if bodiless else f"Content-Length: {len(response.body)}\r\n")
        return head if self._bodiless(response) else head + response.body

    def _start(self, response: Response, framing: str) -> bytes:
        lines = [f"HTTP/1.1 {response.status} \r\n"]
        lines += [f"{name}: {value}\r\n" for name, value in response.headers]
        lines += [framing, "Connection: close\r\n\r\n" if self._last else "\r\n"]
        return "".join(lines).encode()

    def _bodiless(self, response: Response) -> bool:
        return response.status in _BODILESS or (self._head is not None and self._head.method == "HEAD")


def _checked(response: Response) -> Response:
    for name, value in response.headers:
        if not _NAME(name) or not _VALUE(value):
            return plain(500, f"the answer cannot be sent: its header {name!r} is malformed")
    return response
