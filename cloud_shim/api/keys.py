"""/api/keys: the metadata about keys, the keys held here, and metadata signed elsewhere.

Private keys stay where they are.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import identity, json_object, shim
from cloud_shim.people.identity import Permission
from cloud_shim.shim import Shim
from device.protocol.fields import only, text


def _show(request: Request) -> JSONResponse:
    return JSONResponse(shown(shim(request)))


async def _adopt(request: Request) -> JSONResponse:
    offer = await json_object(request)
    the = shim(request)
    await run_in_threadpool(the.adopt, offer, identity(request).name)
    return JSONResponse(shown(the))


async def _next(request: Request) -> JSONResponse:
    fields = await json_object(request)
    only(fields, ("name",), "body")
    return JSONResponse(await run_in_threadpool(shim(request).signing.next_key, text(fields, "name", "body")))


async def _clock(request: Request) -> JSONResponse:
    only(await json_object(request), (), "body")
    the = shim(request)
    await run_in_threadpool(the.trust_clock)
    return JSONResponse({"now": the.signing.clock.now().timestamp()})


def shown(the: Shim) -> dict[str, object]:
    """The answer of GET /api/keys: the signed files, their signers, and the shim's private keys."""
    signing = the.signing
    return {
        "held": signing.held(),
        "director_root": signing.director_root(),
        "image": signing.image(),
        "pending": signing.pending(),
    }


ROUTES = [
    Guarded("/api/keys", _show, Permission.VIEW),
    Guarded("/api/keys", _adopt, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/keys/next", _next, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/keys/clock", _clock, Permission.ADMINISTER, methods=["POST"]),
]
