"""The console's routes: two pages, the fragment of each that htmx renews, and the static files; and pages for errors.

It makes HTML. The data comes from the API through client.py, and is put into words by view.py.
"""

import time
from http import HTTPStatus
from inspect import isawaitable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ExceptionHandler, Scope

from cloud_shim.api import answers
from cloud_shim.api.gate import Guarded, OpenMount
from cloud_shim.console import client, headers, view
from cloud_shim.people.identity import Permission, UnknownError
from device.errors import LamplightError

_HERE = Path(__file__).parent
_templates = Jinja2Templates(directory=_HERE / "templates")


class _Static(StaticFiles):
    """Static files a browser asks about at each load: with a new release of the shim comes a new console."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def routes() -> list[BaseRoute]:
    """The console's routes, to stand beside the API's in one app."""
    return [
        Guarded("/", _devices, Permission.VIEW),
        Guarded("/devices/{device}", _device, Permission.VIEW),
        Guarded("/fragments/devices", _devices_fragment, Permission.VIEW),
        Guarded("/fragments/devices/{device}", _device_fragment, Permission.VIEW),
        OpenMount("/static", _Static(directory=_HERE / "static"), name="console-static"),
    ]


def refused(request: Request, problem: Exception) -> Response:
    """The answer for a request that the gate refuses: a page for a browser, which asks who one is; else JSON."""
    assert isinstance(problem, LamplightError)
    answer = answers.error(problem)
    if not _wants_page(request):
        return answer
    template = "sign_in.html" if isinstance(problem, UnknownError) else "error.html"
    return _page(request, template, {"problem": problem}, answer.status_code)


def missing_page(otherwise: ExceptionHandler) -> ExceptionHandler:
    """A handler of HTTPException: a page for a browser at an unknown address, else the answer of `otherwise`."""

    async def answer(request: Request, problem: Exception) -> Response:
        if isinstance(problem, HTTPException) and problem.status_code == HTTPStatus.NOT_FOUND and _wants_page(request):
            why = "The address may be mistyped, or of a page that there was once"
            return _error(request, client.ApiProblemError(404, f"There is no page at {request.url.path}", why, ""))
        given = otherwise(request, problem)  # pyright: ignore[reportArgumentType] # of HTTP, as this one
        return await given if isawaitable(given) else given  # pyright: ignore[reportReturnType]

    return answer


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(
        ("/api/", "/static/", "/fragments/")
    )


async def _devices(request: Request) -> Response:
    try:
        views, claims = await _all(request), await _claims(request)
    except client.ApiProblemError as problem:
        return _error(request, problem)
    if len(views) == 1 and not claims:
        return RedirectResponse(_path(views[0].name), status_code=303)
    return _page(request, "devices.html", {"devices": views, "claims": claims, "notices": await _notices(request)})


async def _devices_fragment(request: Request) -> Response:
    try:
        views, claims = await _all(request), await _claims(request)
    except client.ApiProblemError as problem:
        return Response(status_code=problem.status)
    if len(views) == 1 and not claims:
        return Response(headers={"HX-Redirect": _path(views[0].name)})
    return _page(request, "fragments/devices.html", {"devices": views, "claims": claims})


async def _device(request: Request) -> Response:
    try:
        device = await _one(request)
        others = len(await _all(request)) > 1 or bool(await _claims(request))
        context = {"device": device, "others": others, "notices": await _notices(request)}
        return _page(request, "device.html", context)
    except client.ApiProblemError as problem:
        return _error(request, problem)


async def _device_fragment(request: Request) -> Response:
    try:
        return _page(request, "fragments/device.html", {"device": await _one(request)})
    except client.ApiProblemError as problem:
        return Response(status_code=problem.status)


async def _all(request: Request) -> list[view.DeviceView]:
    answer = await client.get(request, "/api/devices")
    now = time.time()
    return sorted((view.device(each, now) for each in answer["devices"]), key=lambda each: each.name)


async def _claims(request: Request) -> list[view.ClaimView]:
    """The boards that ask to be let in. Rejected ones are left out."""
    answer = await client.get(request, "/api/claims")
    now = time.time()
    return [view.claim(each, now) for each in answer["claims"] if each["state"] != "rejected"]


async def _notices(request: Request) -> list[str]:
    """The tasks for a person. They change within days: a page asks once."""
    return (await client.get(request, "/api/health"))["notices"]


async def _one(request: Request) -> view.DeviceView:
    name = quote(request.path_params["device"], safe="")
    return view.device(await client.get(request, f"/api/devices/{name}"), time.time())


def _path(device: str) -> str:
    return f"/devices/{quote(device, safe='')}"


def _error(request: Request, problem: client.ApiProblemError) -> Response:
    return _page(request, "error.html", {"problem": problem}, problem.status)


def _page(request: Request, template: str, context: dict[str, Any], status: int = 200) -> Response:
    nonce = headers.new_nonce()
    return _templates.TemplateResponse(
        request, template, {**context, "nonce": nonce}, status_code=status, headers=headers.page_headers(nonce)
    )
