"""The chains of functions that start each other: each must come to an end. Pure."""

from collections.abc import Collection, Iterable, Mapping

from device.errors import RejectedError
from device.protocol.manifest import FunctionManifest
from device.protocol.triggers import FunctionTrigger, HttpTrigger


def check(functions: Iterable[FunctionManifest], held: Collection[str] = ()) -> None:
    """Raise RejectedError, with the names, for an unsound set of functions.

    Refused are: waiting for a missing function; starting oneself, by a chain of any length; two functions on one HTTP
    path. The functions `held` back are on the board too.
    """
    given = list(functions)
    waits = {each.name: _waited_for(each) for each in given}
    for name, others in waits.items():
        for other in others:
            if other not in held:
                _refuse_missing(name, other, waits)
        if circle := _way_back(name, waits):
            raise RejectedError(
                f"{name} would start itself without end",
                f"each of these starts the next: {' → '.join(circle)}",
                'remove one of the triggers of type "function"',
            )
    _check_paths(given)


def _waited_for(function: FunctionManifest) -> list[str]:
    return [each.function for each in function.triggers if isinstance(each, FunctionTrigger)]


def _refuse_missing(name: str, other: str, waits: Mapping[str, list[str]]) -> None:
    if other not in waits:
        raise RejectedError(
            f"{name} waits for results of {other!r}, which is not on this device",
            f"these are: {', '.join(sorted(waits))}",
            f"deploy {other} first; before it is removed, remove {name}",
        )


def _way_back(start: str, waits: Mapping[str, list[str]]) -> list[str]:
    """The functions from `start` to itself, each starting the next; empty when they never close the circle."""
    found = {start: [start]}
    ahead = [start]
    while ahead:
        here = ahead.pop()
        for other in waits.get(here, []):
            if other == start:
                return [start, *reversed(found[here])]
            if other not in found:
                found[other] = [*found[here], other]
                ahead.append(other)
    return []


def _check_paths(functions: list[FunctionManifest]) -> None:
    served: dict[tuple[str, str], str] = {}
    for function in functions:
        for path, method in {(t.path, m) for t in function.triggers if isinstance(t, HttpTrigger) for m in t.methods}:
            first = served.setdefault((path, method), function.name)
            if first != function.name:
                raise RejectedError(
                    f"{first} and {function.name} both serve {method} {path}",
                    "a request goes to one function",
                    f"choose another path in {function.name}",
                )
