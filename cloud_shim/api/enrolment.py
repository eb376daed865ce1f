"""/api/claims and /api/cards: boards asking to be let in, the content of their cards, and devices shut out."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import identity, json_object, path_name, shim
from cloud_shim.broker import setup as broker
from cloud_shim.people.identity import Permission
from device.protocol.fields import flag, name, only, text


def _list(request: Request) -> JSONResponse:
    return JSONResponse({"claims": shim(request).enrolment.claims()})


async def _accept(request: Request) -> JSONResponse:
    which, fields = path_name(request, "claim"), await json_object(request)
    only(fields, ("again",), "body")
    again = flag(fields, "again", "body", False)
    accepted = await run_in_threadpool(shim(request).enrolment.accept, which, again)
    return JSONResponse({"name": accepted})


def _reject(request: Request) -> JSONResponse:
    return JSONResponse({"rejected": shim(request).enrolment.reject(path_name(request, "claim"))})


def _reject_all(request: Request) -> JSONResponse:
    return JSONResponse({"rejected": shim(request).enrolment.reject("")})


async def _card(request: Request) -> JSONResponse:
    """The content of a card free of any device's password: a board asks for its own with it."""
    fields = await json_object(request)
    only(fields, ("name", "token", "again"), "body")
    device, the = name(fields.get("name"), "body.name"), shim(request)
    again = flag(fields, "again", "body", False)
    await run_in_threadpool(the.enrolment.check_free, device, again)
    token = await run_in_threadpool(the.enrolment.token, device, again) if flag(fields, "token", "body", False) else ""
    director, image = the.signing.roots()
    given = {"enrol_password": broker.enrol_password(the.config.state), "token": token, "broker": the.reach()}
    return JSONResponse({**given, "director_root": director.decode(), "image_root": image.decode()})


def _void_cards(request: Request) -> JSONResponse:
    return JSONResponse({"tokens": shim(request).void_cards()})


def _revoke(request: Request) -> JSONResponse:
    device = path_name(request, "device")
    shim(request).revoke(device)
    return JSONResponse({"revoked": device})


async def _choose(request: Request) -> JSONResponse:
    """A person says which of several boards is the device."""
    fields = await json_object(request)
    only(fields, ("hardware",), "body")
    device, the = path_name(request, "device"), shim(request)
    await run_in_threadpool(the.twins.choose, device, text(fields, "hardware", "body"))
    the.changes.device(device)
    return JSONResponse({"device": device, "boards": the.twins.boards(device)})


async def _rename(request: Request) -> JSONResponse:
    """A person gives a board, kept out of a device's name, a name of its own."""
    fields = await json_object(request)
    only(fields, ("board", "name"), "body")
    device, the, by = path_name(request, "device"), shim(request), identity(request).name
    new = name(fields.get("name"), "body.name")
    await run_in_threadpool(the.naming.name, device, text(fields, "board", "body"), new, by)
    the.changes.device(device)
    return JSONResponse({"device": device, "boards": the.twins.boards(device)})


ROUTES = [
    Guarded("/api/devices/{device}/rename", _rename, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/devices/{device}/board", _choose, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/claims", _list, Permission.VIEW),
    Guarded("/api/claims", _reject_all, Permission.ADMINISTER, methods=["DELETE"]),
    Guarded("/api/claims/{claim}/accept", _accept, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/claims/{claim}/reject", _reject, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/cards", _card, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/cards", _void_cards, Permission.ADMINISTER, methods=["DELETE"]),
    Guarded("/api/devices/{device}/revoke", _revoke, Permission.ADMINISTER, methods=["POST"]),
]
