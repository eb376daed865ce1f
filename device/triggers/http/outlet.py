"""The client of one request as the taker of an answer in parts; conversation.py has the bytes, peer.py the socket."""

from collections.abc import Callable

from device.triggers.http.conversation import Conversation
from device.triggers.http.message import Response


class ClientOutlet:
    """`write` sends bytes within a bounded time, or raises OSError: no more is sent then."""

    def __init__(self, conversation: Conversation, write: Callable[[bytes], None]) -> None:
        self._conversation = conversation
        self._write = write
        self._open = False
        self._gone = False
        self.begun = False

    def begin(self, head: Response) -> bool:
        """As in message.Outlet."""
        self.begun = True
        data, self._open = self._conversation.begin(head)
        return self._sent(data) and self._open

    def send(self, data: bytes) -> bool:
        """As in message.Outlet."""
        # An empty chunk would be the last one.
        return self._open and (not data or self._sent(self._conversation.part(data)))

    def end(self, whole: bool) -> None:
        """The answer has ended. Raises EOFError, to cut the connection, when the client lacks a part of it."""
        if self._gone or (self._open and not whole):
            raise EOFError
        if self._open and (data := self._conversation.end()):
            self._write(data)

    def _sent(self, data: bytes) -> bool:
        try:
            self._write(data)
        except OSError:
            self._open, self._gone = False, True
        return not self._gone
