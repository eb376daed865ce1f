"""A browser's way in: a link that is good once, given to the holder of a token, and a session's cookie for it.

POST /api/links        a code for a link
GET  /sign-in?code=…   spends it: sets the cookie, and goes on to a clean address
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from cloud_shim.api.gate import Guarded, cookie_name
from cloud_shim.api.requests import identity, shim
from cloud_shim.people.identity import ForbiddenError, Permission, UnknownError
from cloud_shim.people.tokens import SESSION

PATH = "/sign-in"


def _link(request: Request) -> JSONResponse:
    who = identity(request)
    if who.session:
        # Else a session could outlast its own end, by making the next one in time.
        raise ForbiddenError("A session makes no links", "", "`lamplight console` with a token does")
    return JSONResponse({"path": f"{PATH}?code={shim(request).links.make(who)}"})


async def _sign_in(request: Request) -> Response:
    if request.state.identity is not None and request.state.identity.session:
        return _home()
    the = shim(request)
    # Some programs look at an address with HEAD before they open it.
    code = request.query_params.get("code", "") if request.method == "GET" else ""
    who = the.links.spend(code)
    if who is None:
        raise UnknownError(
            "This link is used, or too old" if code else "The console wants to know who you are",
            "a link is good once, and for a quarter of an hour",
            "`lamplight console` gives a new one",
        )
    session = await run_in_threadpool(the.tokens.open_session, who)
    answer = _home()
    answer.set_cookie(cookie_name(request.headers), session, int(SESSION), path="/", httponly=True, samesite="strict")
    return answer


def _home() -> RedirectResponse:
    return RedirectResponse("/", 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


ROUTES = [
    Guarded("/api/links", _link, Permission.VIEW, methods=["POST"]),
    Guarded(PATH, _sign_in, Permission.OPEN),
]
