"""The settings that all clouds' descriptions have: runtime, memory, time, variables, and the folder of the code."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cloud_shim.cli.moving.found import Function
from cloud_shim.cli.moving.sources import Sources
from cloud_shim.cli.moving.values import Unknown
from cloud_shim.cli.moving.yaml_file import Table
from device.protocol import cloud
from device.protocol.errors import ProtocolError

Resolve = Callable[[Any], Any]
_LONGEST_TIMEOUT = 86_400
_MOST_MEMORY = 65_536


def python(runtime: object) -> bool:
    """Whether the cloud runs Python for it: "python3.12", "Python3.6"."""
    return str(runtime).lower().startswith("python")


def limit(sources: Sources, table: Table, key: str, resolve: Resolve, most: int = _MOST_MEMORY) -> int | None:
    """A whole number at `key`; None when there is none, or the cloud alone knows it."""
    if key not in table:
        return None
    try:
        value = resolve(table[key])
    except Unknown as error:
        sources.leave(table.at(key), key, str(error))
        return None
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        sources.leave(table.at(key), key, f"{value!r:.40} is no whole number from 1 to {most}")
        return None
    return number


def timeout(sources: Sources, table: Table, key: str, resolve: Resolve) -> int | None:
    """Seconds at `key`, as `limit` gives them."""
    return limit(sources, table, key, resolve, _LONGEST_TIMEOUT)


def variables(sources: Sources, function: Function, table: Table, resolve: Resolve) -> None:
    """Take the variables of a table; the ones that only the cloud knows become the function's `unset`."""
    for name, value in table.items():
        line = table.at(name)
        try:
            text = _text(resolve(value))
            cloud.environment({"environment": {name: text}})
            function.environment[name] = text
            function.unset.pop(name, None)
        except Unknown as error:
            if name not in function.environment:
                function.unset[name] = error.expression
            sources.leave(line, f"the variable {name}", str(error), "Write its value in function.toml")
        except ProtocolError as error:
            sources.leave(line, f"the variable {name}", str(error).partition(": ")[2] or str(error))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ProtocolError("environment: it is no text")


def folder(base: Path, value: object) -> Path:
    """The folder of code below the description's own; raises ValueError with the reason for any other."""
    text = str(value)
    if "://" in text:
        raise ValueError("its code is not on this machine")
    path = (base / text).resolve()
    if not path.is_relative_to(base.resolve()):
        raise ValueError(f"its code, {text}, is outside the folder of the description")
    if not path.is_dir():
        raise ValueError(f"its code, {text}, is no folder here")
    return path


def ignored(sources: Sources, table: Table, known: tuple[str, ...], reasons: Mapping[str, tuple[str, str]]) -> None:
    """Leave every key of `table` but the known ones, each with its line and its reason."""
    for key in table:
        if key not in known:
            why, remedy = reasons.get(key, ("it has no like on a board", ""))
            sources.leave(table.at(key), key, why, remedy)
