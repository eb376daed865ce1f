"""The head of an HTTP/1.1 request: from its bytes to its meaning (RFC 9112). Pure.

Strict where a lenient reader and a strict one in front of it would see two different requests (request smuggling):
lines end in CRLF, folding is refused, a length is digits and is said once, and the only encoding is `chunked`. Bodies
are conversation.py's.
"""

import re
from typing import NamedTuple

from device.triggers.http.message import refused

# Of request line and headers together, in bytes.
MOST_HEAD = 16 * 1024
END = b"\r\n\r\n"

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# No part can be matched in two ways, so it takes time in proportion to the length.
_HEAD = re.compile(
    rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])\r\n((?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
)
# More digits than any limit has.
_LENGTH = re.compile(r"[0-9]{1,18}")


class Head(NamedTuple):
    """`length` of the body in bytes, None for one in chunks. `last`: the connection ends after the answer. `asks`:
    whether the client waits to be told to go on before it sends the body. `new`: HTTP/1.1, rather than 1.0.
    """

    method: str
    target: str
    headers: dict[str, str]
    length: int | None
    last: bool
    asks: bool
    new: bool


def parse(block: bytes) -> Head:
    """The head in `block`, up to and including END. Raises RefusedError."""
    match = _HEAD.fullmatch(block)
    if match is None:
        raise refused(400, "the request line or a header is malformed")
    method, target, minor, fields = match.groups()
    headers, repeated = _headers(fields.decode("latin-1"))
    new = minor == b"1"
    if "host" in repeated or (new and "host" not in headers):
        raise refused(400, "a request names its host once")
    length = _length(headers, repeated, new)
    options = headers["connection"].lower() if "connection" in headers else ""
    last = not new or "close" in [each.strip() for each in options.split(",")]
    asks = new and headers.get("expect", "").lower() == "100-continue"
    return Head(method.decode(), target.decode(), headers, length, last, asks, new)


def _headers(fields: str) -> tuple[dict[str, str], set[str]]:
    """The values by name, and the repeated names."""
    headers: dict[str, str] = {}
    repeated: set[str] = set()
    for line in fields.split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name in headers:
            repeated.add(name)
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers, repeated


def _length(headers: dict[str, str], repeated: set[str], new: bool) -> int | None:
    encoding, length = headers.get("transfer-encoding"), headers.get("content-length", "0")
    if encoding is None:
        if "content-length" in repeated or not _LENGTH.fullmatch(length):
            raise refused(400, "the length of the body cannot be read")
        return int(length)
    if "content-length" in headers or not new:
        raise refused(400, "the length of the body is said in two ways")
    if encoding.lower() != "chunked":
        raise refused(501, "the only encoding that is known is chunked")
    return None
