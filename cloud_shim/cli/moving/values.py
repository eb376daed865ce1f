"""The values of a template known before the cloud computes them: parameters' defaults, the file's own. Pure."""

import re
from collections.abc import Mapping
from typing import Any, cast

from cloud_shim.cli.moving.yaml_file import Call, Table, listed

_NAMED = re.compile(r"\$\{([^}]*)\}")
_MOST_STEPS = 10


class Unknown(ValueError):
    """Only the cloud knows the value of this `expression`; the text says so."""

    def __init__(self, expression: str) -> None:
        super().__init__(f"only the cloud knows {expression}")
        self.expression = expression


def of_template(value: Any, parameters: Table) -> Any:
    """A value of a SAM template; raises Unknown. `parameters` is its section of that name."""
    if not isinstance(value, Call):
        return value
    if value.name == "Ref":
        return _parameter(str(value.argument), parameters, value)
    if value.name == "Sub" and isinstance(value.argument, str):
        return _NAMED.sub(lambda found: str(_parameter(found.group(1), parameters, value)), value.argument)
    parts = listed(value.argument)
    if value.name == "Join" and len(parts) == 2 and isinstance(parts[1], list):
        return str(parts[0]).join(str(of_template(each, parameters)) for each in cast("list[Any]", parts[1]))
    raise Unknown(str(value))


def _parameter(name: str, parameters: Table, value: Call) -> Any:
    default = parameters.table(name).get("Default")
    if default is None or isinstance(default, (Call, Table, list)):
        raise Unknown(str(value))
    return default


def of_serverless(value: Any, whole: Mapping[str, Any]) -> Any:
    """A value of a serverless.yml, with `${self:…}`, `${opt:…, default}` and `${env:…, default}`; raises Unknown.

    The environment of this machine is left alone: a secret of it must not end in a file.
    """
    for _ in range(_MOST_STEPS):
        if not isinstance(value, str) or "${" not in value:
            break
        only = _NAMED.fullmatch(value)
        if only:
            value = _variable(only.group(1), whole)
        else:
            value = _NAMED.sub(lambda found: str(_variable(found.group(1), whole)), value)
    if isinstance(value, Call) or (isinstance(value, str) and "${" in value):
        raise Unknown(str(value))
    return value


def _variable(said: str, whole: Mapping[str, Any]) -> Any:
    source, _, default = said.partition(",")
    kind, _, path = source.strip().partition(":")
    if kind == "self":
        found = _at(path, whole)
        if found is not None:
            return found
    elif source.strip() == "sls:stage":
        return _at("provider.stage", whole) or "dev"
    if default.strip():
        return default.strip().strip("'\"")
    raise Unknown(f"${{{said}}}")


def _at(path: str, whole: Mapping[str, Any]) -> Any:
    value: Any = whole
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value  # pyright: ignore[reportUnknownVariableType]
