"""/api/withdrawals: list the withdrawn releases, withdraw one. It cannot be taken back."""

import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import identity, json_object, shim
from cloud_shim.people.identity import Permission
from device.errors import UsageError
from device.protocol import withdrawn
from device.protocol.fields import only


def _list(request: Request) -> JSONResponse:
    return JSONResponse({"withdrawals": shim(request).withdrawals.views()})


async def _add(request: Request) -> JSONResponse:
    fields = await json_object(request)
    only(fields, ("kind", "name", "version", "older", "because", "lets_run"), "body")
    (asked,) = withdrawn.parse([{**fields, "at": int(time.time())}])
    if not asked.because.strip():
        raise UsageError("A withdrawal needs a reason", "people read it on every board that had the release")
    the, by = shim(request), identity(request).name

    def withdraw() -> None:
        the.registry.find(asked.kind, asked.name, asked.version)
        the.withdraw(asked, by)

    await run_in_threadpool(withdraw)
    return JSONResponse({"withdrawals": the.withdrawals.views()})


ROUTES = [
    Guarded("/api/withdrawals", _list, Permission.VIEW),
    Guarded("/api/withdrawals", _add, Permission.ADMINISTER, methods=["POST"]),
]
