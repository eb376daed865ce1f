"""/api/devices/D/functions/F: a function's source, read and deployed again; its settings; and calls of it."""

import time
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import identity, json_object, path_name, shim, whole_number
from cloud_shim.fleet.deployments import Trial
from cloud_shim.fleet.fleet import Device, revoked
from cloud_shim.people.identity import Permission
from cloud_shim.releases import sources
from cloud_shim.releases.release import Release
from cloud_shim.shim import Shim
from cloud_shim.words import amounts
from cloud_shim.words.examples import examples
from device.errors import NotFoundError, OfflineError, RejectedError
from device.protocol.deployment import MAX_GENERATION
from device.protocol.fields import only, table, text
from device.protocol.layer import LOCK_FILE, PROJECT, REQUIREMENTS
from device.protocol.messages import CALL, event_type

# Files of a function that its layer is made from, on the machine with the CLI.
_NEEDS = (REQUIREMENTS, LOCK_FILE, PROJECT)
_MARGIN = 3.0  # seconds beyond the function's own timeout: the way there and back, and a queue before it


def _source(request: Request) -> JSONResponse:
    the = shim(request)
    release = the.fleet.asked(path_name(request, "device"), path_name(request, "function"))
    files = sources.read(the.registry, release)
    manifest = release.function
    told = {
        "triggers": [{"type": each.kind, **vars(each)} for each in manifest.triggers],
        "outputs": [pin for pin, lease in manifest.pins.items() if lease.direction == "out"],
        "examples": examples(manifest.triggers),
    }
    return JSONResponse({"name": release.name, "version": release.version, "files": files, **told})


def _settings(request: Request) -> JSONResponse:
    device, function = path_name(request, "device"), path_name(request, "function")
    version = whole_number(request.query_params.get("version", ""), "version", 1, MAX_GENERATION)
    mark = request.query_params.get("mark", "")
    return JSONResponse({"config": shim(request).fleet.settings(device, function, version, mark)})


async def _deploy_source(request: Request) -> JSONResponse:
    device, function = path_name(request, "device"), path_name(request, "function")
    fields = await json_object(request)
    only(fields, ("files",), "body")
    given = table(fields.get("files"), "body.files")
    files = {name: text(given, name, "body.files") for name in given}
    by = identity(request).name
    generation, release = await run_in_threadpool(_release_and_deploy, shim(request), device, function, files, by)
    return JSONResponse({"generation": generation, "version": release.version})


def _release_and_deploy(the: Shim, device: str, function: str, files: dict[str, str], by: str) -> tuple[int, Release]:
    present = _present(the, device, function)
    _same_requirements(sources.read(the.registry, present) if present else {}, files, device)

    def check(candidate: Release) -> None:
        _same_name(function, candidate)
        the.fleet.check(device, candidate)

    release = the.registry.add(sources.pack(the.registry, present, files), by, agents=False, fits=check)
    # The bytes may be those of an older release, which was not checked again.
    _same_name(function, release)
    return the.fleet.deploy(device, release, None, Trial(), by=by), release


def _same_name(function: str, release: Release) -> None:
    if (release.kind, release.name) != ("function", function):
        raise RejectedError(
            f"These files are the {release.kind} {release.name!r}, not the function {function!r}",
            "function.toml gives the name",
            f"deploy it as {release.name!r}, or change the name back",
        )


def _present(the: Shim, device: str, function: str) -> Release | None:
    """The release last asked for, failed or good: the files are its next version. NotFoundError: no such device."""
    the.fleet.device(device)
    try:
        return the.fleet.asked(device, function)
    except NotFoundError:
        return None


def _same_requirements(present: Mapping[str, str], files: Mapping[str, str], device: str) -> None:
    """Raise RejectedError for changed requirements: a deployment from here keeps its layer."""
    changed = [each for each in _NEEDS if present.get(each, "").split() != files.get(each, "").split()]
    if changed:
        raise RejectedError(
            f"{changed[0]} has changed, and this cannot be deployed from here",
            "the wheels for the board are resolved where the CLI runs",
            f"save the files in a folder and run: lamplight deploy FOLDER {device}",
        )


async def _call(request: Request) -> JSONResponse:
    the = shim(request)
    name, function = path_name(request, "device"), path_name(request, "function")
    fields = await json_object(request)
    only(fields, ("data", "type"), "body")
    type = event_type(text(fields, "type", "body", CALL))
    release = await run_in_threadpool(the.fleet.function, name, function)
    check_online(await run_in_threadpool(the.fleet.device, name))
    timeout = release.function.timeout + _MARGIN
    return JSONResponse({"result": await the.calls.call(name, function, fields.get("data"), timeout, type)})


def check_online(device: Device) -> None:
    """Raise OfflineError, saying since when, for a device out of reach, RejectedError for a revoked one."""
    if device.revoked:
        raise revoked(device.name)
    if not device.online:
        raise OfflineError(
            f"{device.name} is offline",
            _since(device.last_seen),
            "call again when it is back; its triggers go on without the network",
        )


def _since(last_seen: float | None) -> str:
    if last_seen is None:
        return "it was never seen"
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last_seen))
    return f"last seen {amounts.ago(last_seen, time.time())}, at {moment}"


ROUTES = [
    Guarded("/api/devices/{device}/functions/{function}/source", _source, Permission.VIEW),
    Guarded("/api/devices/{device}/functions/{function}/source", _deploy_source, Permission.OPERATE, methods=["POST"]),
    Guarded("/api/devices/{device}/functions/{function}/settings", _settings, Permission.VIEW),
    Guarded("/api/devices/{device}/functions/{function}/call", _call, Permission.OPERATE, methods=["POST"]),
]
