"""An ASGI application (version 3.0, the `http` protocol and `lifespan`) as a handler.

The application runs in the worker's loop, which stands still between two events. Its lifespan begins with the first
request; an application without one is left in peace.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

from device.event import Event
from device.runtime.worker.context import Context
from device.runtime.worker.coroutines import Coroutines
from device.runtime.worker.web import request

Message = dict[str, Any]
_Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


def handler(application: _Application, coroutines: Coroutines) -> Callable[[Event, Context], object]:
    """The handler that passes HTTP requests on to `application`."""
    lifespan = _Lifespan(application)

    def handle(event: Event, context: Context) -> object:
        data = request.data(event)

        async def begun() -> object:
            state = await lifespan.begin()
            return await _Exchange(application, _scope(data, event, context, state), request.body(data)).answer()

        return coroutines.settle(begun())

    return handle


def _scope(data: dict[str, Any], event: Event, context: Context, state: Message) -> Message:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": data["method"],
        "scheme": "http",
        "path": data["path"],
        "raw_path": data["path"].encode(),
        "query_string": request.query(data).encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in data["headers"].items()],
        "client": None,
        "server": request.server(data["headers"]),
        "state": dict(state),
        "extensions": {"lamplight": {"event": event, "context": context}},
    }


class _Exchange:
    """One request and its answer; the application runs as a task beside the sending of its parts."""

    def __init__(self, application: _Application, scope: Message, body: bytes) -> None:
        self._requests: asyncio.Queue[Message] = asyncio.Queue()
        self._requests.put_nowait({"type": "http.request", "body": body, "more_body": False})
        # One part at a time: the application waits until it is sent.
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue(1)
        self._task = asyncio.ensure_future(self._run(application, scope))

    async def answer(self) -> dict[str, object]:
        """Whole when it came in one part, or else with a body in parts. Raises the application's error."""
        start = await self._answers.get()
        if start is None:
            await self._task
            raise RuntimeError("the application ended without an answer")
        headers: dict[str, list[str]] = {}
        for name, value in start.get("headers", ()):
            headers.setdefault(bytes(name).decode("latin-1"), []).append(bytes(value).decode("latin-1"))
        answer: dict[str, object] = {"status": start["status"], "headers": headers}
        first = await self._answers.get()
        if first is None or not first.get("more_body", False):
            await self._task
            return {**answer, "body": bytes(first.get("body", b"")) if first else b""}
        return {**answer, "body": self._parts(first)}

    async def _run(self, application: _Application, scope: Message) -> None:
        try:
            await application(scope, self._requests.get, self._send)
        except Exception:
            await self._answers.put(None)
            raise
        await self._answers.put(None)

    async def _send(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "http.response.body"):
            await self._answers.put(message)

    async def _parts(self, first: Message) -> AsyncIterator[bytes]:
        part: Message | None = first
        try:
            while part is not None:
                yield bytes(part.get("body", b""))
                part = await self._answers.get() if part.get("more_body", False) else None
            await self._task
        finally:
            self._requests.put_nowait({"type": "http.disconnect"})
            self._task.cancel()


class _Lifespan:
    """The application's startup, once; its state goes to every request."""

    def __init__(self, application: _Application) -> None:
        self._application = application
        self._state: Message = {}
        self._task: asyncio.Future[None] | None = None

    async def begin(self) -> Message:
        """The state, after the startup. Raises RuntimeError when that failed."""
        if self._task is None:
            told: asyncio.Queue[Message] = asyncio.Queue()
            self._task = asyncio.ensure_future(self._run(told))
            said = await told.get()
            if said["type"] == "lifespan.startup.failed":
                raise RuntimeError(f"the application's startup failed: {said.get('message', '')}")
        return self._state

    async def _run(self, told: "asyncio.Queue[Message]") -> None:
        startup: list[Message] = [{"type": "lifespan.startup"}]

        async def receive() -> Message:
            # After the startup it waits for an end that never comes: a worker leaves by its last exit.
            return startup.pop() if startup else await cast("asyncio.Future[Message]", asyncio.Future())

        scope: Message = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._application(scope, receive, told.put)
        except Exception:
            # An application without a lifespan raises at its scope (ASGI, "Lifespan Protocol"), and works without.
            pass
        finally:
            told.put_nowait({"type": "lifespan.done"})
