"""Which hardware the functions of one generation may hold together. Pure: no hardware is opened.

An output pin belongs to one function alone, and so does a bus under a function's own driver. An input pin or a sensor
may be shared. A pin with a gpio trigger is watched all the time: it may have several such triggers, with the same pull,
but no leases beside them.
"""

from collections.abc import Iterable, Mapping

from boards import Board
from device.errors import LeaseError
from device.protocol.manifest import FunctionManifest
from device.protocol.triggers import GpioTrigger


def check(board: Board, functions: Iterable[FunctionManifest]) -> None:
    """Raise LeaseError when `functions` ask for hardware missing on `board`, or ask twice for a single thing."""
    given = list(functions)
    for function in given:
        _check_present(board, function)
    _check_pins(given)
    _check_buses(given)
    _check_watched(board, given)


def _check_present(board: Board, function: FunctionManifest) -> None:
    watched = [trigger.pin for trigger in _watches(function)]
    _refuse_missing(board, function.name, "pin", [*function.pins, *watched], board.pins)
    _refuse_missing(board, function.name, "sensor", function.sensors, board.sensors)
    _refuse_missing(board, function.name, "bus", function.buses, board.buses)


def _refuse_missing(board: Board, function: str, kind: str, wanted: Iterable[str], present: Iterable[str]) -> None:
    for each in wanted:
        if each not in present:
            raise LeaseError(
                f"{function} leases the {kind} {each!r}, which {board.name} does not have",
                f"it has: {', '.join(sorted(present)) or 'none'}",
                "use one of these in function.toml, or deploy to another board",
            )


def _check_pins(functions: list[FunctionManifest]) -> None:
    """Two functions may share a pin only when both read it. The first stands for all earlier ones: they passed."""
    users: dict[str, FunctionManifest] = {}
    for function in functions:
        for pin in function.pins:
            first = users.setdefault(pin, function)
            reading = first.pins[pin].direction == function.pins[pin].direction == "in"
            if first is not function and not reading:
                raise _conflict(first, function, f"lease the pin {pin!r}", "an output belongs to one function alone")


def _check_buses(functions: list[FunctionManifest]) -> None:
    users: dict[str, FunctionManifest] = {}
    for function in functions:
        for bus in function.buses:
            first = users.setdefault(bus, function)
            if first is not function:
                raise _conflict(first, function, f"lease the bus {bus!r}", "a bus belongs to one function alone")


def _check_watched(board: Board, functions: list[FunctionManifest]) -> None:
    watchers: dict[str, tuple[FunctionManifest, str]] = {}
    for function in functions:
        for trigger in _watches(function):
            pull = trigger.pull or board.pins[trigger.pin].pull
            first, pulled = watchers.setdefault(trigger.pin, (function, pull))
            if pulled != pull:
                raise _conflict(first, function, f"watch the pin {trigger.pin!r}", "each with another pull")
    _check_only_watched({pin: function for pin, (function, _) in watchers.items()}, functions)


def _check_only_watched(watchers: Mapping[str, FunctionManifest], functions: list[FunctionManifest]) -> None:
    for function in functions:
        for pin in function.pins:
            if pin not in watchers:
                continue
            if watchers[pin] is function:
                raise LeaseError(
                    f"{function.name} leases the pin {pin!r} and has a trigger on it",
                    "a pin that is watched is held all the time",
                    'take its level from the event, event.data["value"], and leave out the lease',
                )
            why = "a pin with a trigger is held all the time"
            raise _conflict(watchers[pin], function, f"use the pin {pin!r}", why)


def _watches(function: FunctionManifest) -> list[GpioTrigger]:
    return [trigger for trigger in function.triggers if isinstance(trigger, GpioTrigger)]


def _conflict(first: FunctionManifest, second: FunctionManifest, what: str, why: str) -> LeaseError:
    return LeaseError(
        f"{first.name} and {second.name} both {what}",
        why,
        f"free it with `lamplight remove DEVICE/{first.name}`, or use another one in {second.name}",
    )
