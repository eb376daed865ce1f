"""When a simulated board has acted on a change of its surroundings, told by its own records.

A reading is new if it fits the present light; a function has acted once it has handled an event of the change.
It waits for both, for `PATIENCE` seconds at most; the change itself is made elsewhere.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cloud_shim.cli.client import Client
from device.hal.sim.parts.assembly import Surroundings

# Seconds for a reading (an integration may have begun before the change), the function, and the way to the shim.
PATIENCE = 5.0
_AGAIN = 0.1
_EDGES = {False: ("falling", "both"), True: ("rising", "both"), None: ("rising", "falling", "both")}

Json = dict[str, Any]


@dataclass(frozen=True)
class Expected:
    """The records to come: a reading of about `lux`, unless it is None, and an event of each of `functions` for it.

    `plugged` is the coming `sensor` record's `ok`; None where the plug was left alone.
    """

    lux: float | None
    functions: tuple[str, ...]
    plugged: bool | None = None


def expected(before: Json, changes: Json, triggers: dict[str, Sequence[Json]]) -> Expected | None:
    """The reaction to `changes` of the world `before`; None if none is to come. `triggers` are by function."""
    if "pin" in changes:
        fitting = _EDGES[changes["level"]]
        heard = _functions(
            triggers, lambda t: t["type"] == "gpio" and t["pin"] == changes["pin"] and t["edge"] in fitting
        )
        return Expected(None, heard) if heard else None
    old, new = _surroundings(before), _surroundings({**before, **changes})
    if new == old or (new.unplugged and old.unplugged):
        return None
    if new.unplugged:
        return Expected(None, (), plugged=False)
    read = _functions(triggers, lambda t: t["type"] == "sensor" and t["above"] is t["below"] is t["delta"] is None)
    return Expected(new.light, read, plugged=True if old.unplugged else None)


def answered(records: Sequence[Json], wanted: Expected) -> bool:
    """Whether the board has acted on the change, by its records since then."""
    left = set(wanted.functions)
    seen = wanted.lux is None
    plugged = wanted.plugged is None
    for record in records:
        plugged = plugged or (record["kind"] == "sensor" and record["ok"] is wanted.plugged)
        if record["kind"] == "reading" and wanted.lux is not None:
            seen = seen or bool(record["saturated"]) or _near(record["lux"], wanted.lux)
        elif record["kind"] in ("decision", "failure") and _of(record, wanted):
            left.discard(record["function"])
    return seen and plugged and not left


def wait(client: Client, device: str, after: int, wanted: Expected) -> bool:
    """Wait until the board has acted, by its records after the id `after`; False when time ran out."""
    until = time.monotonic() + PATIENCE
    while not answered(client.records(device, limit=1000, after=after), wanted):
        if time.monotonic() >= until:
            return False
        time.sleep(_AGAIN)
    return True


def last_id(client: Client, device: str) -> int:
    """The id of the board's newest record; 0 before its first."""
    newest = client.records(device, limit=1)
    return newest[-1]["id"] if newest else 0


def _functions(triggers: dict[str, Sequence[Json]], fits: Callable[[Json], bool]) -> tuple[str, ...]:
    return tuple(name for name, of in triggers.items() if any(fits(trigger) for trigger in of))


def _surroundings(world: Json) -> Surroundings:
    return Surroundings(world["lux"], world["covered"], world["unplugged"])


def _of(record: Json, wanted: Expected) -> bool:
    """Whether this event came of the change, by its trigger or its data."""
    if wanted.lux is None:
        return record["trigger"].startswith("lamplight.gpio.")
    given: Any = record["given"].get("data")
    lux = cast("dict[str, object]", given).get("lux") if isinstance(given, dict) else None
    return isinstance(lux, (int, float)) and _near(lux, wanted.lux)


def _near(lux: float, wanted: float) -> bool:
    # The simulated sensor is a little noisy, and coarse in the dark.
    return abs(lux - wanted) <= max(0.2 * wanted, 0.5)
