"""/api/releases: take an artifact in, list the releases."""

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cloud_shim.api.requests import body, shim
from cloud_shim.fleet import views
from device.protocol.chunks import MAX_ARTIFACT


def _list(request: Request) -> JSONResponse:
    return JSONResponse({"releases": [views.release(each) for each in shim(request).registry.all()]})


async def _add(request: Request) -> JSONResponse:
    data = await body(request, MAX_ARTIFACT)
    registry = shim(request).registry
    take = registry.take_in if request.query_params.get("unsigned") == "1" else registry.add
    device = request.query_params.get("device", "")
    # Before the release has a number: a refusal by the device's deployment uses none up.
    checks = (partial(shim(request).fleet.check, device),) if device else ()
    release = await run_in_threadpool(take, data, *checks)
    unsigned = {} if registry.signed(release) else {"unsigned": release.ref.to_json()}
    return JSONResponse({**views.release(release), **unsigned})


ROUTES = [Route("/api/releases", _list), Route("/api/releases", _add, methods=["POST"])]
