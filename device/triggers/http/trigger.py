"""The http trigger: requests to the board become events, and a handler's result becomes the answer.

This file chooses the function; answers.py reads its result, conversation.py has the bytes, server.py the sockets.
"""

import dataclasses
import logging
import platform
import re
import threading
from collections.abc import Callable, Collection
from urllib.parse import parse_qsl, unquote, urlsplit

from device.errors import LamplightError, OfflineError, UsageError
from device.event import as_text
from device.protocol.messages import HTTP_REQUEST
from device.protocol.triggers import METHODS, USUAL_BODY
from device.protocol.triggers import HttpTrigger as Declared
from device.triggers.delivery import Ask, Asked
from device.triggers.http import answers, origin
from device.triggers.http.message import Outlet, RefusedError, Request, Response, plain

MOST_FIELDS = 100
# A browser's, with OPTIONS: the method of the request that it will make.
_ASKS_FOR = "access-control-request-method"
# A server must take a target with its host's name, as those for a proxy have (RFC 9112, 3.2.2).
_AUTHORITY = re.compile(r"^https?://[^/?]+", re.IGNORECASE)

_log = logging.getLogger(__name__)


class HttpTrigger:
    """A served path of a function, until closed."""

    def __init__(self, declared: Declared, ask: Ask, leave: Callable[["HttpTrigger"], None]) -> None:
        self.declared = declared
        self.ask = ask
        self._leave = leave

    @property
    def fault(self) -> None:
        """It is served from its start on: the server holds the port."""

    def close(self) -> None:
        """Serve it no longer."""
        self._leave(self)


class Routes:
    """The paths, each with its function. `name` is the board's in its network."""

    def __init__(self, name: str | None = None) -> None:
        self._name = platform.node() if name is None else name
        self._lock = threading.Lock()
        self._triggers: list[HttpTrigger] = []

    def trigger(self, declared: Declared, ask: Ask) -> HttpTrigger:
        """Serve this path from now on."""
        trigger = HttpTrigger(declared, ask, self._leave)
        with self._lock:
            self._triggers.append(trigger)
        return trigger

    def admit(self, method: str, target: str) -> int:
        """The longest body allowed; raises RefusedError for an unserved path or method.

        A browser asks by OPTIONS before a page's request; it sends no body.
        """
        return 0 if method == "OPTIONS" and self._opened(target) else self._find(method, target).declared.limit

    def answer(self, request: Request, outlet: Outlet) -> Response:
        """The function's answer; waits for it, and sends one in parts to `outlet`. Turns every error into an answer."""
        try:
            asked = request.headers.get(_ASKS_FOR, "") if request.method == "OPTIONS" else request.method
            trigger = self._find(asked, request.target)
            if (refusal := origin.objection(request.headers, trigger.declared.origins, self._name)) is not None:
                return refusal
            return self._answer(request, trigger, outlet)
        except RefusedError as refused:
            return refused.response
        except UsageError as error:
            return plain(413, error.what)
        except OfflineError as error:
            return plain(504, error.what)
        except LamplightError as error:
            # Why, with places in the code, is in the function's log; a stranger need not know.
            return plain(500, error.what)
        except Exception:
            _log.exception("A request for %s could not be answered", request.target)
            return plain(500, "the board could not answer")

    def _answer(self, request: Request, trigger: HttpTrigger, outlet: Outlet) -> Response:
        declared = trigger.declared
        if request.method == "OPTIONS":
            return origin.preflight(request, declared.methods, declared.origins)

        def read(result: object) -> Response:
            answer = _read(result, declared.path)
            return dataclasses.replace(answer, headers=[*answer.headers, *_more(answer, request, declared)])

        def take(part: object) -> bool:
            return outlet.send(answers.part(part)) if outlet.begun else outlet.begin(read(part))

        asked = _asked(request, declared.methods)
        long = asked.body if len(asked.body) > USUAL_BODY else b""
        data = event_data(dataclasses.replace(asked, body=b"") if long else asked)
        return read(trigger.ask("http", HTTP_REQUEST, data, str(data["path"]), asked=Asked(take, long)))

    def _find(self, method: str, target: str) -> HttpTrigger:
        path = _path(target)
        with self._lock:
            found = [each for each in self._triggers if _serves(each.declared.path, path)]
        if not found:
            raise RefusedError(plain(404, "no function serves this path"))
        for each in sorted(found, key=lambda each: len(each.declared.path), reverse=True):
            if method in _taken(each.declared.methods):
                return each
        allowed = [each for each in METHODS if any(each in _taken(one.declared.methods) for one in found)]
        raise RefusedError(Response(405, b"", [("Allow", ", ".join(allowed))]))

    def _opened(self, target: str) -> bool:
        """Whether some function opens this path to pages of other origins."""
        path = _path(target)
        with self._lock:
            return any(each.declared.origins and _serves(each.declared.path, path) for each in self._triggers)

    def _leave(self, trigger: HttpTrigger) -> None:
        with self._lock:
            if trigger in self._triggers:
                self._triggers.remove(trigger)


def _read(result: object, path: str) -> Response:
    try:
        return answers.response(result)
    except ValueError as error:
        _log.warning("The function at %s: %s", path, error)
        return plain(500, str(error))


def _more(answer: Response, request: Request, declared: Declared) -> list[tuple[str, str]]:
    """The headers for a page of another origin, but for those that the handler set itself."""
    chosen = {name.lower() for name, _ in answer.headers}
    return [each for each in origin.shared(request.headers, declared.origins) if each[0].lower() not in chosen]


def _taken(methods: Collection[str]) -> Collection[str]:
    """The answered methods: HEAD is GET minus the body (RFC 9110, 9.3.2)."""
    return (*methods, "HEAD") if "GET" in methods else methods


def _asked(request: Request, methods: Collection[str]) -> Request:
    """The request in the function's declared form; the conversation leaves the body out."""
    if request.method == "HEAD" and "HEAD" not in methods:
        return dataclasses.replace(request, method="GET")
    return request


def event_data(request: Request) -> dict[str, object]:
    """The event's data. A body other than UTF-8 goes as base64. Raises RefusedError for a query beyond MOST_FIELDS."""
    try:
        fields = parse_qsl(urlsplit(request.target).query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise RefusedError(plain(400, f"the query cannot be read: {error}")) from None
    body, encoded = as_text(request.body)
    queries: dict[str, list[str]] = {}
    for key, value in fields:
        queries.setdefault(_clean(key), []).append(_clean(value))
    return {
        "method": request.method,
        "path": _path(request.target),
        "query": {key: values[-1] for key, values in queries.items()},
        "queries": queries,
        "headers": request.headers,
        "body": body,
        "base64": encoded,
    }


def _path(target: str) -> str:
    if not target.startswith("/"):
        target = _AUTHORITY.sub("", target) or "/"
    return _clean(unquote(target.partition("?")[0], errors="replace"))


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()


def _serves(declared: str, path: str) -> bool:
    return path.startswith(declared[:-1]) if declared.endswith("/*") else path == declared
