"""The steps common to all endpoints: reach the shim, read a bounded body, check path and query."""

import json
from typing import NoReturn

from starlette.requests import Request

from cloud_shim.people.identity import Identity, Permission, forbidden, unknown
from cloud_shim.shim import Shim
from device.errors import NotFoundError, RejectedError, UsageError
from device.protocol.errors import ProtocolError
from device.protocol.fields import is_name, plain, table

MAX_JSON = 4 * 1024 * 1024
"""Bytes of a JSON body: a bundle's sources, with room."""


def shim(request: Request) -> Shim:
    """The shim behind the app."""
    return request.app.state.shim


def identity(request: Request) -> Identity:
    """Whoever makes the request; UnknownError on an open route, for a request without a token."""
    found: Identity | None = request.state.identity
    if found is None:
        raise unknown(given=False)
    return found


def demand(request: Request, permission: Permission) -> None:
    """Raise ForbiddenError unless the maker of the request has this permission, beyond the route's own."""
    if not (found := identity(request)).may(permission):
        raise forbidden(found, permission)


def path_name(request: Request, key: str) -> str:
    """The name in the request's path; NotFoundError for an impossible name."""
    value = str(request.path_params[key])
    if not is_name(value):
        raise NotFoundError(f"There is no {key} {value[:80]!r}", "names have lower-case letters, digits and '-'")
    return value


async def body(request: Request, most: int) -> bytes:
    """The body; RejectedError as soon as more than `most` bytes have come; the rest stays unread."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > most:
            raise RejectedError("The request is too large", f"at most {most} bytes are taken")
    return bytes(data)


async def json_object(request: Request) -> dict[str, object]:
    """The JSON object in the body; ProtocolError for anything else, and for values unfit to be sent to a device."""
    data = await body(request, MAX_JSON)
    try:
        fields = table(json.loads(data, parse_constant=_refuse), "body")
    except (ValueError, RecursionError) as error:
        if isinstance(error, ProtocolError):
            raise
        raise ProtocolError(f"body: is not JSON: {error}") from None
    plain(fields, "body")
    return fields


def query_number(request: Request, key: str, low: int, high: int, default: int | None = None) -> int | None:
    """The whole number at `key` of the query, or `default`; UsageError when it is outside `low` to `high`."""
    value = request.query_params.get(key, "")
    return whole_number(value, key, low, high) if value else default


def whole_number(value: str, key: str, low: int, high: int) -> int:
    """`value` as a whole number; UsageError naming `key` when it is outside `low` to `high`."""
    # The length first: Python refuses to read thousands of digits, with an error of another kind.
    if not (value.isascii() and value.isdigit() and len(value) <= 19 and low <= int(value) <= high):
        raise UsageError(f"{key}={value[:40]} is not a whole number between {low} and {high}")
    return int(value)


def _refuse(constant: str) -> NoReturn:
    raise ProtocolError(f"body: {constant} is not JSON")
