"""/api/devices: list, create, deploy, remove, roll back."""

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import demand, identity, json_object, path_name, shim
from cloud_shim.fleet.deployments import Trial
from cloud_shim.fleet.views import Json
from cloud_shim.people.identity import Permission
from cloud_shim.releases.release import Release
from cloud_shim.shim import Shim
from device.protocol.deployment import MAX_GENERATION, MAX_TRIAL_EVENTS, MAX_TRIAL_SECONDS
from device.protocol.errors import ProtocolError
from device.protocol.fields import flag, integer, name, number, only, table, text


def _list(request: Request) -> JSONResponse:
    the = shim(request)
    return JSONResponse({"devices": with_boards(the, the.fleet.views(the.link.listening))})


def _one(request: Request) -> JSONResponse:
    the = shim(request)
    (one,) = with_boards(the, [the.fleet.view(path_name(request, "device"), the.link.listening)])
    return JSONResponse(one)


def with_boards(the: Shim, views: Sequence[Json]) -> list[Json]:
    """Each DEVICE, with the boards that claim its name."""
    contested = the.twins.contested()
    return [{**each, "boards": contested.get(str(each["name"]), [])} for each in views]


async def _create(request: Request) -> JSONResponse:
    fields = await json_object(request)
    only(fields, ("name", "board", "simulation"), "body")
    device, board = text(fields, "name", "body"), text(fields, "board", "body")
    simulation = None if fields.get("simulation") is None else text(fields, "simulation", "body")
    the = shim(request)
    password = await run_in_threadpool(the.members.provision, device, board, simulation)
    director, image = the.signing.roots()
    given = {"name": device, "password": password, "broker": the.reach()}
    return JSONResponse({**given, "director_root": director.decode(), "image_root": image.decode()})


async def _deploy(request: Request) -> JSONResponse:
    device, fields = path_name(request, "device"), await json_object(request)
    only(fields, ("kind", "name", "version", "config", "trial", "retry", "layer"), "body")
    kind = text(fields, "kind", "body")
    if kind not in ("function", "model", "agent"):
        raise ProtocolError(f"body.kind: {kind[:40]!r} is none of 'function', 'model' and 'agent'")
    if kind == "agent":
        demand(request, Permission.ADMINISTER)
    release_name = name(fields.get("name"), "body.name")
    version = integer(fields, "version", "body", 1, MAX_GENERATION)
    settings = None if fields.get("config") is None else table(fields["config"], "body.config")
    the = shim(request)
    trial = _trial(fields.get("trial"), Trial(the.config.trial_seconds, the.config.trial_events))
    retry = flag(fields, "retry", "body", False)

    by = identity(request).name
    asked = None if fields.get("layer") is None else table(fields["layer"], "body.layer")

    def deploy() -> int:
        layer = "keep" if asked is None else _layer(the, asked)
        release = the.registry.find(kind, release_name, version)
        return the.fleet.deploy(device, release, settings, trial, retry, layer, by)

    return JSONResponse({"generation": await run_in_threadpool(deploy)})


def _layer(the: Shim, asked: dict[str, object]) -> Release | None:
    """The layer a function needs; an empty table stands for none."""
    if not asked:
        return None
    only(asked, ("name", "version"), "body.layer")
    version = integer(asked, "version", "body.layer", 1, MAX_GENERATION)
    return the.registry.find("layer", name(asked.get("name"), "body.layer.name"), version)


def _rollback(request: Request) -> JSONResponse:
    device, by = path_name(request, "device"), identity(request).name
    return JSONResponse({"generation": shim(request).fleet.rollback(device, by)})


def _remove_function(request: Request) -> JSONResponse:
    return _remove(request, "function")


def _remove_model(request: Request) -> JSONResponse:
    return _remove(request, "model")


def _remove(request: Request, kind: str) -> JSONResponse:
    device, name = path_name(request, "device"), path_name(request, kind)
    return JSONResponse({"generation": shim(request).fleet.remove(device, kind, name, identity(request).name)})


def _trial(value: object, default: Trial) -> Trial:
    """The trial in a body; parts left out are the default's."""
    if value is None:
        return default
    fields = table(value, "body.trial")
    only(fields, ("seconds", "events"), "body.trial")
    seconds = number(fields, "seconds", "body.trial", default.seconds)
    if not 0 <= seconds <= MAX_TRIAL_SECONDS:
        raise ProtocolError(f"body.trial.seconds: {seconds} is not between 0 and a week")
    return Trial(seconds, integer(fields, "events", "body.trial", 0, MAX_TRIAL_EVENTS, default.events))


ROUTES = [
    Guarded("/api/devices", _list, Permission.VIEW),
    Guarded("/api/devices", _create, Permission.ADMINISTER, methods=["POST"]),
    Guarded("/api/devices/{device}", _one, Permission.VIEW),
    Guarded("/api/devices/{device}/deploy", _deploy, Permission.OPERATE, methods=["POST"]),
    Guarded("/api/devices/{device}/functions/{function}", _remove_function, Permission.OPERATE, methods=["DELETE"]),
    Guarded("/api/devices/{device}/models/{model}", _remove_model, Permission.OPERATE, methods=["DELETE"]),
    Guarded("/api/devices/{device}/rollback", _rollback, Permission.OPERATE, methods=["POST"]),
]
