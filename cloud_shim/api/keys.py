"""/api/keys: the image repository's metadata, which keys lie here, and metadata that was signed elsewhere.

Private keys never travel.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cloud_shim.api.requests import json_object, shim
from cloud_shim.shim import Shim


def _show(request: Request) -> JSONResponse:
    return JSONResponse(_view(shim(request)))


async def _adopt(request: Request) -> JSONResponse:
    offer = await json_object(request)
    the = shim(request)
    await run_in_threadpool(the.adopt, offer)
    return JSONResponse(_view(the))


async def _rotate_director(request: Request) -> JSONResponse:
    the = shim(request)
    await run_in_threadpool(the.rotate_director)
    return JSONResponse(_view(the))


def _view(the: Shim) -> dict[str, object]:
    signing = the.signing
    return {"held": signing.held(), "director_root": signing.director_root(), "image": signing.image()}


ROUTES = [
    Route("/api/keys", _show),
    Route("/api/keys", _adopt, methods=["POST"]),
    Route("/api/keys/director/rotate", _rotate_director, methods=["POST"]),
]
