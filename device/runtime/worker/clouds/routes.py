"""Finds the route of a request among templates such as "GET /items/{id}", and the values of its names. Pure.

The rule is API Gateway's: a path's own words win over a name in braces, and that over `{name+}`, for all the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from device.protocol.cloud import ANY


@dataclass(frozen=True)
class Route:
    """A route: its method ("ANY" for all) and its template, with the `values` of the names in braces."""

    method: str
    path: str
    values: dict[str, str] = field(default_factory=dict[str, str])


def find(routes: Sequence[str], method: str, path: str) -> Route | None:
    """The best of the routes for this request."""
    best: tuple[list[int], Route] | None = None
    for each in routes:
        asked, _, template = each.partition(" ")
        values = _values(template, path) if asked in (method, ANY) else None
        if values is not None:
            rank = [*map(_rank, template.strip("/").split("/")), asked == ANY]
            if best is None or rank < best[0]:
                best = rank, Route(asked, template, values)
    return best[1] if best else None


def _rank(part: str) -> int:
    return 2 if part.endswith("+}") else int(part.startswith("{"))


def _values(template: str, path: str) -> dict[str, str] | None:
    """The values of the template's names; None when the path is another."""
    wanted, there = template.strip("/").split("/"), path.strip("/").split("/")
    values: dict[str, str] = {}
    for number, part in enumerate(wanted):
        rest = there[number:]
        if not rest:
            return None
        if part.endswith("+}"):
            return {**values, part[1:-2]: "/".join(rest)} if rest[0] else None
        if part.startswith("{") and rest[0]:
            values[part[1:-1]] = rest[0]
        elif part != rest[0]:
            return None
    return values if len(wanted) == len(there) else None
