"""Bounds the requests' bodies: how many are held at once, and how slowly they may come.

It stands behind the gate, so the sender is known: one token has at most half of the places. A request beyond them waits
for a place with its body unread; the sender is held back by TCP. The length of each body is the endpoints' matter.
"""

import asyncio
import time
from collections import Counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_shim.api import answers
from cloud_shim.api.requests import MAX_JSON
from device.errors import LamplightError, RejectedError

GRACE = 30.0
"""Seconds for a place, and for the body beyond what its length takes."""
SLOWEST = 64 * 1024
"""Bytes a second: a slower body is given up."""
LARGE, SMALL = 2, 16
"""Bodies held at once: of more than MAX_JSON bytes, and others."""


class Places:
    """So many bodies may be held at once; half of them by one holder. For one event loop."""

    def __init__(self, most: int, grace: float = GRACE) -> None:
        self._most = most
        self._grace = grace
        self._held: Counter[str] = Counter()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    async def take(self, holder: str) -> bool:
        """Wait for a place for `holder`; False when none comes free in time. Each is to be given back."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((holder, turn))
        self._let_in()
        taken = False
        try:
            async with asyncio.timeout(self._grace):
                await turn
            taken = True
        except TimeoutError:
            pass
        finally:
            self._waiting = [each for each in self._waiting if each[1] is not turn]
            # The place may come in the very moment in which the wait ends otherwise.
            if not taken and turn.done() and not turn.cancelled():
                self.give_back(holder)
        return taken

    def give_back(self, holder: str) -> None:
        """The holder's body is done with."""
        self._held[holder] -= 1
        self._held += Counter()  # without the holders of none
        self._let_in()

    def _let_in(self) -> None:
        for holder, turn in self._waiting:
            if not turn.done() and self._free(holder):
                self._held[holder] += 1
                turn.set_result(None)

    def _free(self, holder: str) -> bool:
        return self._held.total() < self._most and self._held[holder] < max(1, self._most // 2)


class Bodies:
    """ASGI middleware. Requests without a body pass at once."""

    def __init__(self, app: ASGIApp, grace: float = GRACE, slowest: int = SLOWEST) -> None:
        self._app = app
        self._grace = grace
        self._slowest = slowest
        self._large, self._small = Places(LARGE, grace), Places(SMALL, grace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, once there is a place for its body."""
        length = _length(Headers(scope=scope)) if scope["type"] == "http" else 0
        if length == 0:
            await self._app(scope, receive, send)
            return
        places = self._small if length is not None and length <= MAX_JSON else self._large
        identity = scope["state"].get("identity")
        holder = identity.name if identity else ""
        if not await places.take(holder):
            await answers.error(_busy(), 503)(scope, receive, send)
            return
        try:
            await self._app(scope, self._timed(receive), send)
        finally:
            places.give_back(holder)

    def _timed(self, receive: Receive) -> Receive:
        """`receive`, which gives up on a body that comes too slowly: RejectedError."""
        began, got, whole = time.monotonic(), 0, False

        async def timed() -> Message:
            nonlocal got, whole
            if whole:
                return await receive()
            left = began + self._grace + got / self._slowest - time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    message = await receive()
            except TimeoutError:
                raise _slow(got) from None
            got += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            return message

        return timed


def _length(headers: Headers) -> int | None:
    """Bytes of the body; 0 for no body, None when it is not said."""
    if "transfer-encoding" in headers:
        return None
    return int(headers.get("content-length", "0"))


def _busy() -> LamplightError:
    return LamplightError("The shim is taking in other uploads", "they need its memory", "Try again in a minute")


def _slow(got: int) -> RejectedError:
    return RejectedError(
        "The request's body came too slowly",
        f"{got} bytes have come; at least {SLOWEST // 1024} KiB a second are asked for",
        "Try again over a faster connection",
    )
