"""GET /api/health: that the shim runs, whether the broker is there, and what a person must see to."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cloud_shim.api.keys import shown
from cloud_shim.api.requests import shim
from cloud_shim.trust import release_metadata
from cloud_shim.words import keys


async def _health(request: Request) -> JSONResponse:
    the = shim(request)
    broker = {"host": the.link.host, "port": the.link.port, "connected": the.link.connected}
    reach = the.reach() or {"port": 0, "names": []}
    # What a card needs to know before anything is asked of anybody for it.
    boards = {"boards": reach["port"], "names": reach["names"]}
    notices = keys.notices(shown(the), release_metadata.utc_now())
    told = {"notices": notices, "signs_releases": the.signing.can_release}
    return JSONResponse({"ok": True, "broker": broker | boards, **told})


ROUTES = [Route("/api/health", _health)]
