"""Which web pages may ask a board for something: decided by a request's Host and Origin. Pure.

A browser in the board's network carries out the requests of any page its user visits. Two headers tell on such a page.
`Origin` names it (RFC 6454; the Fetch standard has the browser set it). `Host` names the board as the page did: a page
may have its own name lead to the board's address ("DNS rebinding"), and a board's own names end otherwise.

A request without Origin passes: other programs send none, nor does a browser for a plain link or picture. So a path
that takes GET is open to every page; it should change nothing.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from device.triggers.http.message import Request, Response, plain

ANY = "*"
# Ends of names that lead nowhere on the Internet, so that no stranger has one: RFC 6762, 6761, 8375, the names that
# routers give, and ICANN's for private use (2024).
_PRIVATE = (".local", ".localhost", ".home.arpa", ".internal", ".lan", ".home", ".corp")


def objection(headers: Mapping[str, str], origins: tuple[str, ...], own: str) -> Response | None:
    """Why this request is not answered; None when it is.

    `origins` are the pages opened by the function's manifest, as "https://shop.example.org", or "*" for all. `own` is
    the board's name in its network.
    """
    if ANY in origins:
        return None
    host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
    if host and not _is_ours(_name(host), own.lower()) and _name(host) not in {_name_in(each) for each in origins}:
        return plain(421, f"this board is not called {host}; its function names the pages it answers in `origins`")
    if origin and origin.partition("://")[2] != host and origin not in origins:
        return plain(403, f"pages of {origin} may not ask this board; its function names those that may in `origins`")
    return None


def shared(headers: Mapping[str, str], origins: tuple[str, ...]) -> list[tuple[str, str]]:
    """The headers that let a page of another origin read the answer (the Fetch standard, "CORS protocol")."""
    origin = headers.get("origin", "")
    if not origin or not (ANY in origins or origin.lower() in origins):
        return []
    return [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]


def preflight(request: Request, methods: tuple[str, ...], origins: tuple[str, ...]) -> Response:
    """The answer to a browser's question before a page's request: the methods and headers that may follow."""
    asked = request.headers.get("access-control-request-headers", "")
    allowed = [("Access-Control-Allow-Methods", ", ".join(methods)), ("Access-Control-Max-Age", "600")]
    headers = [("Access-Control-Allow-Headers", asked)] if asked else []
    return Response(204, b"", [*shared(request.headers, origins), *allowed, *headers])


def _is_ours(name: str, own: str) -> bool:
    return "." not in name or name == own or name.endswith(_PRIVATE) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _name(host: str) -> str:
    """The name in a Host header: without the port, the brackets of an IPv6 address, or a last dot."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def _name_in(origin: str) -> str:
    return urlsplit(origin).hostname or ""
