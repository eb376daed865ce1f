"""GET /api/health: that the shim runs, and whether the broker is there."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cloud_shim.api.requests import shim


async def _health(request: Request) -> JSONResponse:
    link = shim(request).link
    return JSONResponse({"ok": True, "broker": {"host": link.host, "port": link.port, "connected": link.connected}})


ROUTES = [Route("/api/health", _health)]
