"""/api/tokens: the tokens of people and programs. Their text is given once, to their maker."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import json_object, path_name, shim
from cloud_shim.people.identity import GRANTED, Permission
from device.protocol.errors import ProtocolError
from device.protocol.fields import only, text


def _list(request: Request) -> JSONResponse:
    return JSONResponse({"tokens": shim(request).tokens.listed()})


async def _create(request: Request) -> JSONResponse:
    fields = await json_object(request)
    only(fields, ("name", "permission"), "body")
    name, word = text(fields, "name", "body"), text(fields, "permission", "body")
    if word not in GRANTED:
        raise ProtocolError(f"body.permission: {word[:40]!r} is none of {', '.join(GRANTED)}")
    token = await run_in_threadpool(shim(request).tokens.create, name, GRANTED[word])
    return JSONResponse({"name": name, "permission": word, "token": token})


def _rotate(request: Request) -> JSONResponse:
    name = path_name(request, "name")
    return JSONResponse({"name": name, "token": shim(request).rotate_token(name)})


def _revoke(request: Request) -> JSONResponse:
    name = path_name(request, "name")
    shim(request).tokens.revoke(name)
    return JSONResponse({"revoked": name})


ROUTES = [
    Guarded("/api/tokens", _list, Permission.ADMINISTER),
    Guarded("/api/tokens", _create, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/tokens/{name}", _revoke, Permission.ADMINISTER, methods=["DELETE"]),
    Guarded("/api/tokens/{name}/rotate", _rotate, Permission.ADMINISTER, methods=["POST"]),
]
"""The administrator's own: whoever makes tokens could give themselves any permission."""
