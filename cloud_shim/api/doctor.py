"""POST /api/devices/D/doctor: the device examines itself, now, and answers with its findings."""

import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.functions import check_online
from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import path_name, shim
from cloud_shim.people.identity import Permission
from device.doctor import check, remote
from device.errors import RejectedError
from device.protocol.errors import ProtocolError
from device.protocol.fields import table

# Seconds beyond the device's own limit for its doctor.
_MARGIN = 5.0


async def _doctor(request: Request) -> JSONResponse:
    the, device = shim(request), path_name(request, "device")
    check_online(await run_in_threadpool(the.fleet.device, device))
    asked = {"time": int(time.time())}
    found = await the.calls.call(device, remote.NAME, asked, remote.PATIENCE + _MARGIN, remote.CALL)
    try:
        results = check.parse(table(found, "doctor").get("checks"), "doctor.checks")
    except ProtocolError as error:
        raise RejectedError(f"{device} gave no sensible answer", str(error), f"`lamplight logs {device}`") from None
    return JSONResponse({"checks": [each.to_json() for each in results]})


ROUTES = [Guarded("/api/devices/{device}/doctor", _doctor, Permission.OPERATE, methods=["POST"])]
