"""Which hardware the functions of one generation may hold together. Pure: no hardware is opened.

An output pin belongs to one function alone. An input pin or a sensor may be shared.
"""

from collections.abc import Iterable

from boards import Board
from device.errors import LeaseError
from device.protocol.manifest import FunctionManifest


def check(board: Board, functions: Iterable[FunctionManifest]) -> None:
    """Raise LeaseError when `functions` ask for what `board` lacks, or for one output twice."""
    users: dict[str, FunctionManifest] = {}
    for function in functions:
        _check_present(board, function)
        for pin in function.pins:
            _check_exclusive(pin, users.setdefault(pin, function), function)


def _check_present(board: Board, function: FunctionManifest) -> None:
    _refuse_missing(board, function.name, "pin", function.pins, board.pins)
    _refuse_missing(board, function.name, "sensor", function.sensors, board.sensors)


def _refuse_missing(board: Board, function: str, kind: str, wanted: Iterable[str], present: Iterable[str]) -> None:
    for each in wanted:
        if each not in present:
            raise LeaseError(
                f"{function} leases the {kind} {each!r}, which {board.name} does not have",
                f"its {kind}s are: {', '.join(sorted(present)) or 'none'}",
                "use one of these in function.toml, or deploy to another board",
            )


def _check_exclusive(pin: str, first: FunctionManifest, second: FunctionManifest) -> None:
    """Two functions may share a pin only when both read it. `first` stands for all earlier ones: they passed."""
    if first is second or first.pins[pin].direction == second.pins[pin].direction == "in":
        return
    raise LeaseError(
        f"{first.name} and {second.name} both lease the pin {pin!r}",
        "an output belongs to one function alone",
        f"free the pin with `lamplight remove DEVICE/{first.name}`, or lease another one in {second.name}",
    )
