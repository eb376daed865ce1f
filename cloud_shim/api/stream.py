"""GET /api/stream: records and devices as they change, as server-sent events.

Each reader has a place in the database's sequence of records, and reads on from there after each change. Backlog and
live tail are the same query: each record comes exactly once between them, and memory holds none. A reader that stalls
is dropped; with `Last-Event-ID` it comes back to its place.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from cloud_shim.api import devices
from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import identity, shim, whole_number
from cloud_shim.fleet import views
from cloud_shim.people.identity import Permission
from cloud_shim.records import history
from cloud_shim.shim import Shim

_PAGE = 500  # records read at once
_HEARTBEAT = 15.0  # seconds of silence before a comment, which keeps proxies and readers from giving up
_PATIENCE = 30.0  # seconds in which a reader must take what it is sent


class EventStream(Response):
    """An endless answer. A reader may stall for `patience` seconds before it is dropped."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes], patience: float = _PATIENCE) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader leaves, stalls, or the shim stops."""
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self._events.aclose()

    async def _send_all(self, send: Send) -> None:
        await self._send(send, {"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for part in self._events:
            await self._send(send, {"type": "http.response.body", "body": part, "more_body": True})
        await self._send(send, {"type": "http.response.body", "body": b""})

    async def _send(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(self._patience):
            await send(message)


async def events(the: Shim, device: str, after: int, lives: Callable[[], bool] = lambda: True) -> AsyncGenerator[bytes]:
    """The events for one reader, from the record after the id `after` on; of one device, or of all when it is "".

    They end as soon as the reader's token no longer `lives`.
    """
    seen = the.changes.count
    # The first ones carry the place in the sequence: a reader that is cut off before any record has it, too.
    yield await run_in_threadpool(_devices, the, None, device, after)
    wanted = history.Wanted(device=device)
    while lives() and not the.changes.closed:
        page = await run_in_threadpool(history.records, the.database, wanted, after, _PAGE)
        if page:
            after = page[-1]["id"]  # pyright: ignore[reportAssignmentType]
            yield b"".join(_event("record", record, record["id"]) for record in page)
            continue
        if not await the.changes.wait(seen, _HEARTBEAT):
            yield b": waiting\n\n"
            continue
        if not lives():
            return
        changed, seen = the.changes.devices_since(seen), the.changes.count
        yield await run_in_threadpool(_devices, the, changed, device, after)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _devices(the: Shim, changed: set[str] | None, device: str, place: int) -> bytes:
    """An event for each changed device (None: for every one) the reader follows."""
    if changed is None:
        changed = set(the.fleet.names())
    followed = sorted(name for name in changed if device in ("", name))
    views = devices.with_boards(the, [the.fleet.view(name, the.link.listening) for name in followed])
    return b"".join(_event("device", each, place) for each in views)


def _event(kind: str, data: views.Json, id: object) -> bytes:
    return f"event: {kind}\nid: {id}\ndata: {json.dumps(data)}\n\n".encode()


async def _stream(request: Request) -> Response:
    the, device = shim(request), request.query_params.get("device", "")
    if device:
        await run_in_threadpool(the.fleet.device, device)
    last = request.headers.get("last-event-id", "")
    if last:
        after = whole_number(last, "Last-Event-ID", 0, history.LAST_ID)
    else:
        after = await run_in_threadpool(history.last_id, the.database)
    who = identity(request)
    return EventStream(events(the, device, after, lambda: the.tokens.lives(who)))


ROUTES = [Guarded("/api/stream", _stream, Permission.VIEW)]
