"""Bounds the HTTP connections that make no request: in time, and in number.

uvicorn waits for ever for the rest of a half-sent head, and for the rest of a refused body. Here a connection without a
request in progress is closed after `PATIENCE`, however its bytes trickle. Of more than `MOST` such connections the
oldest goes, so a new one can always be heard. Bodies in progress are the matter of bodies.py.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class BoundedConnection(H11Protocol):
    """uvicorn's HTTP connection, which must come to the point."""

    PATIENCE = 10.0
    """Seconds from the connection, or from its last answer, to the end of the next request's head."""
    MOST = 200
    """Connections without a request at the same time."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch()
        waiting = [each for each in self.connections if isinstance(each, BoundedConnection) and each._ending]
        if len(waiting) > self.MOST:
            min(waiting, key=lambda each: each._ending.when() if each._ending else 0.0)._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; they may complete the head of a request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, unless it is here already."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            self._rest()
        elif self._ending is None and not self.transport.is_closing():
            self._ending = self.loop.call_later(self.PATIENCE, self._end)

    def _rest(self) -> None:
        if self._ending:
            self._ending.cancel()
            self._ending = None

    def _end(self) -> None:
        self._rest()
        # Not `close`: it would first wait for the other side to read what it was sent.
        self.transport.abort()
