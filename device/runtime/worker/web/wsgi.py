"""A WSGI application (PEP 3333) as a handler."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from device.event import Event
from device.runtime.worker.context import Context
from device.runtime.worker.web import request

# An answer of this length or less, in bytes, goes as a whole.
_WHOLE = 32 * 1024


def handler(application: Callable[..., Iterable[bytes]]) -> Callable[[Event, Context], object]:
    """The handler that passes HTTP requests on to `application`."""

    def handle(event: Event, context: Context) -> object:
        started = _Started()
        parts = application(_environ(request.data(event), event, context), started)
        return _answer(started, parts)

    return handle


class _Started:
    """PEP 3333's start_response."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.written: list[bytes] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        self.status, self.headers = int(status.split(" ", 1)[0]), list(headers)
        return self.written.append


def _environ(data: dict[str, Any], event: Event, context: Context) -> dict[str, object]:
    headers, body = data["headers"], request.body(data)
    name, port = request.server(headers)
    environ: dict[str, object] = {
        "REQUEST_METHOD": data["method"],
        "SCRIPT_NAME": "",
        # PEP 3333: a text of the path's bytes, each as one character.
        "PATH_INFO": data["path"].encode().decode("latin-1"),
        "QUERY_STRING": request.query(data),
        "SERVER_NAME": name,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "lamplight.event": event,
        "lamplight.context": context,
    }
    named = {name: value for name, value in headers.items() if name not in ("content-type", "content-length")}
    return environ | {"HTTP_" + name.upper().replace("-", "_"): value for name, value in named.items()}


def _answer(started: _Started, parts: Iterable[bytes]) -> object:
    """Whole when it is short and says so, or else in parts. PEP 3333: the status is known with the first part."""
    rest = _closing(parts)
    first = [*started.written, *([part] if (part := next(rest, None)) is not None else [])]
    if not started.status:
        raise RuntimeError("the application returned without calling start_response")
    headers: dict[str, list[str]] = {}
    for name, value in started.headers:
        headers.setdefault(name, []).append(value)
    length = next((value[0] for name, value in headers.items() if name.lower() == "content-length"), "")
    answer = {"status": started.status, "headers": headers}
    if length.isdigit() and int(length) <= _WHOLE:
        return {**answer, "body": b"".join([*first, *rest])}
    return {**answer, "body": _chain(first, rest)}


def _closing(parts: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from parts
    finally:
        if (close := getattr(parts, "close", None)) is not None:
            cast("Callable[[], None]", close)()


def _chain(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from first
        yield from rest
    finally:
        cast("Any", rest).close()
