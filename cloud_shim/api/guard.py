"""Refuses requests sent by a browser for a page from elsewhere: the API deploys code.

It stands before the gate (gate.py): a browser could hold a session, and be made to use it.

It guards against two attacks. *Cross-site posts*: a page may post to 127.0.0.1 from its visitor's browser. The browser
then names the page's origin in `Origin`. *DNS rebinding*: a page's own name is made to resolve to 127.0.0.1, so the
browser takes the shim for the page's site. The browser then says this name in `Host`.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud_shim.api import answers
from device.errors import RejectedError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Guard:
    """ASGI middleware. Lets requests for a loopback host pass, from this very site's pages or from no page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "http" and (problem := refusal(Headers(scope=scope))):
            await answers.error(problem, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def refusal(headers: Headers) -> RejectedError | None:
    """The reason to refuse a request with these headers; None for a good one."""
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    if len(hosts) != 1 or _host(f"http://{hosts[0]}") not in _LOOPBACK:
        return RejectedError(
            f"The shim does not answer for the host {', '.join(hosts)[:80]!r}",
            "it serves this machine only",
            "Open it as http://127.0.0.1 with its port",
        )
    if any(origin != f"http://{hosts[0]}" for origin in origins):
        return RejectedError(
            f"A page of {', '.join(origins)[:80]!r} may not use the shim", "only the console's own pages may"
        )
    return None


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        return None if parts.username is not None or parts.path or parts.query or parts.fragment else parts.hostname
    except ValueError:
        return None
