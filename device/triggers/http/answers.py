"""The HTTP answer that a handler's result stands for. Pure; trigger.py asks the handler."""

import base64
import json
from typing import Any, cast

from device.triggers.http.message import Response

_JSON = [("Content-Type", "application/json")]
_TEXT = [("Content-Type", "text/plain; charset=utf-8")]
# A handler has no say in how its answer is framed.
_OURS = ("content-length", "transfer-encoding", "connection")
_ANSWER = {"status", "headers", "body", "base64"}


def response(result: object) -> Response:
    """The answer; raises ValueError with the fault of an unusable result."""
    if result is None:
        return Response(204)
    if isinstance(result, str):
        return Response(200, result.encode(), _TEXT)
    if not isinstance(result, dict):
        return Response(200, _json(result), _JSON)  # pyright: ignore[reportUnknownArgumentType]
    fields = cast("dict[str, object]", result)
    if _is_bytes(fields):
        return Response(200, _decoded(fields["base64"]), [("Content-Type", "application/octet-stream")])
    return _described(fields) if "status" in fields and set(fields) <= _ANSWER else Response(200, _json(fields), _JSON)


def part(value: object) -> bytes:
    """The bytes of one part of an answer; nothing of one that is malformed, which only a hostile worker sends."""
    try:
        return base64.b64decode(str(value), validate=True)
    except ValueError:
        return b""


def _described(fields: dict[str, object]) -> Response:
    """From {"status", "headers", "body", "base64"}; all but the first may be absent."""
    status, body = fields["status"], fields.get("body", "")
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"the function gave the status {_short(status)}; it is a number from 200 to 599")
    headers = _headers(fields.get("headers", {}))
    if isinstance(body, dict) and _is_bytes(cast("dict[str, object]", body)):
        return Response(status, _decoded(cast("dict[str, object]", body)["base64"]), headers)
    if not isinstance(body, str):
        # JSON too, unless the handler says another type.
        kind = [] if any(name.lower() == "content-type" for name, _ in headers) else _JSON
        return Response(status, _json(cast("object", body)), [*kind, *headers])
    return Response(status, _decoded(body) if fields.get("base64") else body.encode(), headers)


def _headers(headers: object) -> list[tuple[str, str]]:
    """One line for each value: a list has several (Set-Cookie)."""
    if not isinstance(headers, dict):
        raise ValueError(f"the function gave the headers {_short(headers)}; they are a table")  # pyright: ignore[reportUnknownArgumentType]
    lines: list[tuple[str, str]] = []
    for name, value in cast("dict[str, Any]", headers).items():
        values = cast("list[object]", value) if isinstance(value, list) else [value]
        lines += [(name, _text(name, each)) for each in values if name.lower() not in _OURS]
    return lines


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(
            f"the function gave the header {name} = {_short(value)}; it is a text, a number or a list of these"
        )
    return str(value)


def _is_bytes(value: dict[str, object]) -> bool:
    """Whether it is how the worker says bytes."""
    return set(value) == {"base64"}


def _decoded(body: object) -> bytes:
    try:
        return base64.b64decode(str(body), validate=True)
    except ValueError:
        raise ValueError("the function gave a body that is no base64") from None


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:60]
