"""GET /api/health: that the shim runs, and whether the broker is there."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cloud_shim.api.requests import shim


async def _health(request: Request) -> JSONResponse:
    the = shim(request)
    broker = {"host": the.link.host, "port": the.link.port, "connected": the.link.connected}
    return JSONResponse({"ok": True, "broker": {**broker, "boards": the.config.boards_port}})


ROUTES = [Route("/api/health", _health)]
