"""Bills of materials of releases and devices, and the devices exposed to a package."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import path_name, shim, whole_number
from cloud_shim.fleet import exposure
from cloud_shim.people.identity import Permission
from device.errors import UsageError
from device.protocol.deployment import MAX_GENERATION

if TYPE_CHECKING:
    from cloud_shim.fleet.composition import Composition

_LONGEST_NAME = 200
_CYCLONEDX = "application/vnd.cyclonedx+json; version=1.6"


def _release(request: Request) -> Response:
    kind, name = path_name(request, "kind"), path_name(request, "name")
    version = whole_number(str(request.path_params["version"]), "version", 1, MAX_GENERATION)
    release = shim(request).registry.find(kind, name, version)
    return Response(_composition(request).of_release(release), media_type=_CYCLONEDX)


def _device(request: Request) -> Response:
    return Response(_composition(request).of_device(path_name(request, "device")), media_type=_CYCLONEDX)


def _composition(request: Request) -> "Composition":
    # Imported here: it takes a fifth of a second, and a shim can start without it.
    from cloud_shim.fleet.composition import Composition

    return Composition(shim(request).database, shim(request).registry)


def _exposure(request: Request) -> JSONResponse:
    package = request.query_params.get("package", "")
    if not 0 < len(package) <= _LONGEST_NAME:
        raise UsageError("Which package?", "the query needs package=NAME", "look it up in docs/api.md")
    the = shim(request)
    return JSONResponse(exposure.find(the.database, the.registry, package))


ROUTES = [
    Guarded("/api/releases/{kind}/{name}/{version}/sbom", _release, Permission.VIEW),
    Guarded("/api/devices/{device}/sbom", _device, Permission.VIEW),
    Guarded("/api/exposure", _exposure, Permission.VIEW),
]
