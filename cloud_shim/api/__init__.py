"""The HTTP interface (docs/api.md): one file per resource, each with its routes. `routes()` is all of them."""

from cloud_shim.api import (
    devices,
    doctor,
    enrolment,
    functions,
    health,
    keys,
    records,
    releases,
    sign_in,
    simulation,
    stream,
    supply,
    tokens,
    withdrawals,
)
from cloud_shim.api.gate import Guarded


def routes() -> list[Guarded]:
    """Every route of the API."""
    devices_ = (devices, enrolment, doctor, functions, simulation)
    parts = (health, *devices_, releases, withdrawals, keys, supply, records, stream, tokens, sign_in)
    return [route for part in parts for route in part.ROUTES]
