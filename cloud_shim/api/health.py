"""GET /api/health: a sign of life, whether the broker is there, and the tasks for a person."""

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
    # A card depends on these: its maker checks them before asking anything of anybody.
    boards = {"boards": reach["port"], "names": reach["names"]}
    notices = keys.notices(shown(the), release_metadata.utc_now())
    if complaint := the.signing.clock.complaint():
        notices = [complaint, *notices]
    notices += the.twins.notices()
    told = {"notices": notices, "signs_releases": the.signing.can_release}
    return JSONResponse({"ok": True, "broker": broker | boards, **told})


ROUTES = [Route("/api/health", _health)]
