"""How a source distribution wants to be built (PEP 518, PEP 517), from its pyproject.toml; pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

# For a package without the table, as the standard has it.
_LEGACY = "setuptools.build_meta:__legacy__"
_REQUIRES = ("setuptools>=40.8.0", "wheel")


@dataclass(frozen=True)
class Plan:
    """The tools for a build as requirements, the backend's name, and folders in the source where it lies."""

    requires: tuple[str, ...] = _REQUIRES
    backend: str = _LEGACY
    folders: tuple[str, ...] = ()


def plan(text: str) -> Plan:
    """The plan in this text of pyproject.toml, "" for none. Raises ValueError."""
    table: object = tomllib.loads(text).get("build-system", {})
    if not isinstance(table, dict):
        raise ValueError("build-system is no table")
    told = cast("Mapping[str, Any]", table)
    backend = told.get("build-backend", _LEGACY)
    if not isinstance(backend, str):
        raise ValueError("build-backend is no text")
    return Plan(_texts(told, "requires", _REQUIRES), backend, _texts(told, "backend-path", ()))


def _texts(told: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    found: object = told.get(key, default)
    if not isinstance(found, list | tuple):
        raise ValueError(f"{key} is no list")
    texts = cast("list[object]", found)
    if not all(isinstance(each, str) for each in texts):
        raise ValueError(f"{key} is no list of texts")
    return tuple(str(each) for each in texts)
