"""The gate: every route says which permission it needs, and a request passes with a token that has it.

`Guarded` is a route with its permission. `Gate` is the middleware: it finds the request's route, and whoever makes the
request, and leaves the decision to people/identity.py. An unknown address needs a token too. A route without a
permission keeps the shim from starting.

Programs send their token as `Authorization: Bearer`; a browser has the cookie of a session, and must name its page in
`Origin` to change anything. A token in an address is never read: addresses are kept in histories and logs.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_shim.people.identity import ForbiddenError, Identity, Permission, refusal
from device.errors import RejectedError

_READING = ("GET", "HEAD", "OPTIONS")


class Guarded(Route):
    """A route, with the permission that it needs."""

    def __init__(
        self, path: str, endpoint: Callable[..., Any], permission: Permission, methods: Sequence[str] | None = None
    ) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.permission = permission


class OpenMount(Mount):
    """Files that anybody may have."""

    permission = Permission.OPEN


class Presented(NamedTuple):
    """What a request brings to say who makes it: a token, or a session's from a cookie."""

    token: str
    cookie: bool


class Gate:
    """ASGI middleware. `identify` knows the tokens; `refuse` makes the answer for a refused request."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Sequence[BaseRoute],
        identify: Callable[[str], Identity | None],
        refuse: Callable[[Request, RejectedError], Response],
    ) -> None:
        self._app = app
        self._table = permissions(routes)
        self._identify = identify
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its identity in the state, or refuse it."""
        if scope["type"] != "http":
            await self._pass_lifespan(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = presented(headers)
        identity = self._identity(given)
        problem = refusal(identity, bool(given.token), self._needed(scope))
        problem = problem or (foreign(headers, scope["method"]) if identity and identity.session else None)
        scope = {**scope, "state": {**scope.get("state", {}), "identity": identity}}
        answer: ASGIApp = self._refuse(Request(scope), problem) if problem else self._app
        await answer(scope, receive, send)

    async def _pass_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Anything else but the start and the end of the app (a WebSocket) has no route, and no way in.
        passing: Awaitable[None] | None = self._app(scope, receive, send) if scope["type"] == "lifespan" else None
        await (passing or send({"type": "websocket.close", "code": 1008}))

    def _identity(self, given: Presented) -> Identity | None:
        found = self._identify(given.token) if given.token else None
        # A session is for a browser, a token for a program: neither is worth anything in the other's place.
        return found if found and found.session == given.cookie else None

    def _needed(self, scope: Scope) -> Permission:
        for route, permission in self._table:
            if route.matches(scope)[0] is Match.FULL:
                return permission
        return Permission.VIEW


def permissions(routes: Sequence[BaseRoute]) -> list[tuple[BaseRoute, Permission]]:
    """Each route with its permission; TypeError names a route without one."""
    table: list[tuple[BaseRoute, Permission]] = []
    for route in routes:
        permission = getattr(route, "permission", None)
        if not isinstance(permission, Permission):
            raise TypeError(f"{route!r} declares no permission")
        table.append((route, permission))
    return table


def presented(headers: Headers) -> Presented:
    """The token or session in the headers of a request; an empty one where there is none, or more than one."""
    authorizations = headers.getlist("authorization")
    if authorizations:
        scheme, _, token = authorizations[0].partition(" ")
        sound = len(authorizations) == 1 and scheme.lower() == "bearer"
        return Presented(token.strip() if sound else "", cookie=False)
    return Presented(
        Request({"type": "http", "headers": headers.raw}).cookies.get(cookie_name(headers), ""), cookie=True
    )


def cookie_name(headers: Headers) -> str:
    """The name of the session's cookie: a browser sends the cookies of one port to every port of a host."""
    return f"lamplight-{headers.get('host', '').rpartition(':')[2]}"


def foreign(headers: Headers, method: str) -> ForbiddenError | None:
    """The reason to refuse a browser's request that changes something and names no page.

    A page of elsewhere has been refused by guard.py before.
    """
    if method in _READING or headers.get("origin"):
        return None
    return ForbiddenError("A browser's request names no page", "it has no Origin", "programs use a token")
