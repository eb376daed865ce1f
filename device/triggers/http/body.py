"""The body of an HTTP/1.1 request, taken from a buffer as it arrives: of a known length, or in chunks (RFC 9112, 7.1).

Refuses too long a body before it is all there. Trailers are read and thrown away.
"""

import re
from typing import Protocol

from device.triggers.http.head import MOST_HEAD
from device.triggers.http.message import RefusedError, refused

# A body in more pieces than this is not sent to be read.
MOST_PIECES = 2048
# Of a long body, the least bytes of a piece on average.
_PIECE = 4096
# A length in hexadecimal, and an extension after it, ignored by us.
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")
# Of a line with a chunk's length, in bytes.
_MOST_LINE = 256


class Body(Protocol):
    """A body on its way, of `most` bytes or fewer."""

    most: int

    def take(self, buffer: bytearray) -> bytes | None:
        """Take the body's bytes from `buffer`; returns the body once it is whole. Raises RefusedError."""
        ...


class Sized:
    """`length` bytes, of at most `most`."""

    def __init__(self, length: int, most: int) -> None:
        if length > most:
            raise _too_long(most)
        self.most = length

    def take(self, buffer: bytearray) -> bytes | None:
        """The whole body at once."""
        if len(buffer) < self.most:
            return None
        body = bytes(memoryview(buffer)[: self.most])
        del buffer[: self.most]
        return body


class Chunked:
    """Chunks of at most `most` bytes together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._body = bytearray()
        self._pieces = 0
        # Of the chunk in hand, with the line's end behind it; None between two chunks.
        self._size: int | None = None
        self._trailers = 0

    def take(self, buffer: bytearray) -> bytes | None:
        """Chunk by chunk."""
        while self._size != 0:
            if not (self._begin(buffer) if self._size is None else self._add(buffer, self._size)):
                return None
        return self._end(buffer)

    def _begin(self, buffer: bytearray) -> bool:
        line = _line(buffer, _MOST_LINE)
        if line is None:
            return False
        match = _SIZE.fullmatch(line)
        if match is None:
            raise refused(400, "the length of a chunk cannot be read")
        self._size = int(match.group(1), 16)
        self._pieces += 1
        if len(self._body) + self._size > self.most or self._pieces > _most_pieces(self.most):
            raise _too_long(self.most)
        return True

    def _add(self, buffer: bytearray, size: int) -> bool:
        if len(buffer) < size + 2:
            return False
        if not buffer.startswith(b"\r\n", size):
            raise refused(400, "a chunk is longer than it says")
        self._body += memoryview(buffer)[:size]
        del buffer[: size + 2]
        self._size = None
        return True

    def _end(self, buffer: bytearray) -> bytes | None:
        while (line := _line(buffer, MOST_HEAD)) is not None:
            if not line:
                return bytes(self._body)
            self._trailers += len(line)
            if self._trailers > MOST_HEAD or not _TRAILER.fullmatch(line):
                raise refused(400, "what follows the last chunk cannot be read")
        return None


def _line(buffer: bytearray, most: int) -> bytes | None:
    """The first line, minus its end, once it is there; raises RefusedError when it is longer than `most`."""
    end = buffer.find(b"\r\n", 0, most + 2)
    if end < 0:
        if len(buffer) > most:
            raise refused(400, "a line of the body is too long")
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line


def _most_pieces(most: int) -> int:
    return max(MOST_PIECES, most // _PIECE)


def _too_long(most: int) -> RefusedError:
    return refused(413, f"at most {most} bytes, in at most {_most_pieces(most)} pieces")
