"""The HTTP interface (docs/api.md): one file per resource, each with its routes. `routes()` is all of them."""

from starlette.routing import Route

from cloud_shim.api import (
    devices,
    doctor,
    enrolment,
    functions,
    health,
    keys,
    records,
    releases,
    simulation,
    stream,
    supply,
)


def routes() -> list[Route]:
    """Every route of the API."""
    parts = (health, devices, enrolment, doctor, releases, keys, functions, supply, records, stream, simulation)
    return [route for part in parts for route in part.ROUTES]
