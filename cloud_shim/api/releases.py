"""/api/releases: take an artifact in, list the releases."""

from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import body, identity, shim
from cloud_shim.fleet import views
from cloud_shim.people.identity import Permission
from device.protocol.chunks import MAX_ARTIFACT


def _list(request: Request) -> JSONResponse:
    return JSONResponse({"releases": [views.release(each) for each in shim(request).registry.all()]})


async def _add(request: Request) -> JSONResponse:
    data = await body(request, MAX_ARTIFACT)
    registry = shim(request).registry
    take = registry.take_in if request.query_params.get("unsigned") == "1" else registry.add
    maker = identity(request)
    device = request.query_params.get("device", "")
    # Before the release has a number: a refusal by the device's deployment uses none up.
    checks = {"fits": partial(shim(request).fleet.check, device)} if device else {}
    release = await run_in_threadpool(take, data, maker.name, maker.may(Permission.ADMINISTER), **checks)
    unsigned = {} if registry.signed(release) else {"unsigned": release.ref.to_json()}
    return JSONResponse({**views.release(release), **unsigned})


ROUTES = [
    Guarded("/api/releases", _list, Permission.VIEW),
    Guarded("/api/releases", _add, Permission.OPERATE, methods=["POST"]),
]
