"""A handler's answer that comes in parts: a generator, or the body of an HTTP answer that is one.

A part is text or bytes. `send` sends each as soon as it is there, and waits until the agent wants the next; the time
for all of them is the event's. `gather` joins them where nobody can take parts. The first message is the answer's
head: status and headers.
"""

import base64
import itertools
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any, cast

from device.event import Event, as_text
from device.protocol.messages import HTTP_REQUEST
from device.runtime.wire import messages
from device.runtime.wire.channel import Channel
from device.runtime.wire.messages import Part
from device.runtime.worker.coroutines import Coroutines

# Bytes in one message: in base64 it has room in a packet.
PIECE = 64 * 1024
_ANSWER = {"status", "headers", "body"}
# Of a bare generator, as of a bare text.
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


class Stream:
    """An answer in parts. `head` is the answer without its body; `parts` are asked for one by one."""

    def __init__(self, head: dict[str, object], parts: Iterator[object] | AsyncIterator[object]) -> None:
        self.head = head
        self._parts = parts

    def send(self, channel: Channel, coroutines: Coroutines) -> dict[str, int]:
        """Send all, or as many as are wanted; the number of bytes sent. Raises the handler's errors."""
        sent = 0
        pieces = self._pieces(coroutines)
        try:
            # Before the head: an error up to here is still an answer of its own.
            first = [*itertools.islice(pieces, 1)]
            if _wanted(channel, self.head):
                for piece in itertools.chain(first, pieces):
                    sent += len(piece)
                    if not _wanted(channel, base64.b64encode(piece).decode()):
                        break
        finally:
            pieces.close()
        return {"streamed": sent}

    def gather(self, coroutines: Coroutines) -> dict[str, object]:
        """The answer with its whole body. Raises the handler's errors."""
        body, encoded = as_text(b"".join(self._pieces(coroutines)))
        return {**self.head, "body": body, **({"base64": True} if encoded else {})}

    def _pieces(self, coroutines: Coroutines) -> Generator[bytes]:
        parts = self._parts
        try:
            for part in parts if isinstance(parts, Iterator) else _in_turn(parts, coroutines):
                data = _bytes(part)
                yield from (data[at : at + PIECE] for at in range(0, len(data), PIECE))
        finally:
            _end(parts, coroutines)


def stream(event: Event, result: object) -> Stream | None:
    """The stream that a handler's result is, or has as its body; None when it is whole, and for other than requests."""
    if event.type != HTTP_REQUEST:
        return None
    if _comes_in_parts(result):
        return Stream({"status": 200, "headers": _TEXT}, cast("Iterator[object]", result))
    if not isinstance(result, dict):
        return None
    fields = cast("dict[str, object]", result)
    if not _comes_in_parts(fields.get("body")) or not set(fields) <= _ANSWER:
        return None
    head = {key: value for key, value in fields.items() if key != "body"}
    return Stream({"status": 200, **head}, cast("Iterator[object]", fields["body"]))


def _comes_in_parts(value: object) -> bool:
    return isinstance(value, (Iterator, AsyncIterator))


def _wanted(channel: Channel, value: object) -> bool:
    channel.send(Part(value).message())
    return channel.receive() == messages.MORE


def _bytes(part: object) -> bytes:
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, (bytes, bytearray, memoryview)):
        return bytes(cast("bytes", part))
    raise TypeError(f"a part of an answer is text or bytes, not {type(part).__name__}")


def _in_turn(parts: AsyncIterator[object], coroutines: Coroutines) -> Iterator[object]:
    async def following() -> object:
        return await anext(parts)

    while True:
        try:
            yield coroutines.settle(following())
        except StopAsyncIteration:
            return


def _end(parts: object, coroutines: Coroutines) -> None:
    """Let a generator that is not wanted any more end by its own `finally`."""
    if (close := getattr(parts, "close", None)) is not None:
        cast("Callable[[], object]", close)()
    elif (aclose := getattr(parts, "aclose", None)) is not None:

        async def ended() -> None:
            await cast("Callable[[], Any]", aclose)()

        coroutines.settle(ended())
