"""/api/sim/D: the world around a simulated board."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from cloud_shim.api.gate import Guarded
from cloud_shim.api.requests import json_object, path_name, shim
from cloud_shim.people.identity import Permission
from cloud_shim.shim import Shim
from device.errors import NotFoundError
from device.hal.sim.world import World
from device.protocol.fields import flag, number, only, text


def _state(request: Request) -> JSONResponse:
    with _world(shim(request), path_name(request, "device")) as world:
        return JSONResponse(world.state())


async def _set(request: Request) -> JSONResponse:
    fields = await json_object(request)
    only(fields, ("lux", "covered", "unplugged", "pin", "level"), "body")
    lux = number(fields, "lux", "body") if "lux" in fields else None
    covered = flag(fields, "covered", "body") if "covered" in fields else None
    unplugged = flag(fields, "unplugged", "body") if "unplugged" in fields else None
    pin = text(fields, "pin", "body") if "pin" in fields else None
    level = flag(fields, "level", "body") if fields.get("level") is not None else None
    the, device = shim(request), path_name(request, "device")

    def change() -> dict[str, object]:
        with _world(the, device) as world:
            if pin is not None:
                world.wire(pin, level)
            return world.set(lux=lux, covered=covered, unplugged=unplugged)

    return JSONResponse(await run_in_threadpool(change))


def _world(the: Shim, name: str) -> World:
    socket = the.fleet.device(name).simulation
    if socket is None:
        raise NotFoundError(f"{name} is a real board", "only a simulated one has a world to change")
    return World.connect(socket)


ROUTES = [
    Guarded("/api/sim/{device}", _state, Permission.VIEW),
    Guarded("/api/sim/{device}", _set, Permission.OPERATE, methods=["POST"]),
]
