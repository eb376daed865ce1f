"""An HTTP request and an answer, as values; and the refusal of a request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


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


class Outlet(Protocol):
    """The client of a request, for an answer that comes in parts. Any thread, one at a time; each call has its time."""

    begun: bool

    def begin(self, head: Response) -> bool:
        """Send the head; says whether the client takes a body. The response's own body is not sent."""
        ...

    def send(self, data: bytes) -> bool:
        """Send a part; False when the client has gone, or is too slow."""
        ...


# The answer to a request. When the outlet has begun, the client has it already, and the status tells how it ended.
Answer = Callable[[Request, Outlet], Response]


class RefusedError(Exception):
    """The request is refused: `response` says so, and the conversation ends with it."""

    def __init__(self, response: Response) -> None:
        super().__init__(str(response.status))
        self.response = response


def plain(status: int, text: str) -> Response:
    """An answer for a person."""
    return Response(status, f"{text}\n".encode(), [("Content-Type", "text/plain; charset=utf-8")])


def refused(status: int, text: str) -> RefusedError:
    """With a reason for a person."""
    return RefusedError(plain(status, text))
