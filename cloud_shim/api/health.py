"""GET /api/health: a sign of life, whether the broker is there, and the tasks for a person.

It is open: without a token it says only that the shim lives, and whether it reaches its broker.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.keys import shown
from cloud_shim.api.requests import shim
from cloud_shim.people.identity import Permission
from cloud_shim.trust import release_metadata
from cloud_shim.words import excesses, keys, withdrawals


async def _health(request: Request) -> JSONResponse:
    the = shim(request)
    if request.state.identity is None:
        return JSONResponse({"ok": True, "broker": {"connected": the.link.connected}})
    broker = {"host": the.link.host, "port": the.link.port, "connected": the.link.connected}
    reach = the.reach() or {"port": 0, "names": []}
    # A card depends on these: its maker checks them before asking anything of anybody.
    boards = {"boards": reach["port"], "names": reach["names"]}
    notices = keys.notices(shown(the), release_metadata.utc_now())
    if complaint := the.signing.clock.complaint():
        notices = [complaint, *notices]
    excess = excesses.views(the.excesses.known(), the.pauses.known(), the.config.keep_bytes)
    notices += [*the.twins.notices(), *map(excesses.notice, excess)]
    if the.withdrawals.known():
        notices += withdrawals.notices(await run_in_threadpool(the.fleet.heeding))
    told = {"notices": notices, "excess": excess, "signs_releases": the.signing.can_release}
    return JSONResponse({"ok": True, "broker": broker | boards, **told})


ROUTES = [Guarded("/api/health", _health, Permission.OPEN)]
