"""GET /api/records: the devices' records."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import query_number, shim
from cloud_shim.people.identity import Permission
from cloud_shim.records import history

_DEFAULT, _MOST = 200, 5000


def _records(request: Request) -> JSONResponse:
    wanted = history.Wanted(
        device=request.query_params.get("device", ""),
        stream=request.query_params.get("stream", ""),
        function=request.query_params.get("function", ""),
        before=query_number(request, "before", 0, history.LAST_ID),
    )
    after = query_number(request, "after", 0, history.LAST_ID)
    limit = query_number(request, "limit", 1, _MOST, _DEFAULT) or _DEFAULT
    return JSONResponse({"records": history.records(shim(request).database, wanted, after, limit)})


ROUTES = [Guarded("/api/records", _records, Permission.VIEW)]
