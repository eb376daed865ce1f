"""Values of a handler (returned, published or kept) as JSON: each Python value with one obvious form gets it.

    dataclass, mapping, SimpleNamespace   object         set, deque, range, dict's views   list
    numpy's arrays and numbers            lists, numbers datetime, date, time              ISO 8601
    timedelta                             seconds        Enum                              its value
    Decimal, UUID, path, IP address       text           bytes                             {"base64": "…"}

A type with a method `__json__` has the form which that gives; Lamplight's own types have one. Any other value raises a
NotJsonError with its place: "result.readings[3].at". The plain encoding is tried first, so an event of plain values
costs nothing more. It imports none of the libraries whose values it takes.
"""

import base64
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import json
import math
import os
import types
import uuid
from abc import ABC
from collections import UserString
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence, Set, ValuesView
from typing import Any, cast

# Levels of nesting. Python's own encoder ends at about a thousand.
MAX_DEPTH = 200
# A value of more parts is too long for a packet, whatever they are.
MAX_PARTS = 128 * 1024
_MAX_PLACE = 120
_BYTES = (bytes, bytearray, memoryview)
# Made once: json.dumps makes one for each value, and each event has one.
_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False)


class NotJsonError(ValueError):
    """A value outside JSON. Its text gives the place and the reason."""


def sendable(value: object, name: str) -> object:
    """`value` itself when it is JSON already, or else its form in JSON. Errors call it `name`.

    Raises NotJsonError.
    """
    try:
        _dumped(value)
    except (TypeError, ValueError, RecursionError):
        return plain(value, name)
    return value


def plain(value: object, name: str) -> object:
    """`value` in dictionaries, lists, texts, numbers, booleans and None; raises NotJsonError."""
    return _Walk().form(value, name)


def _dumped(value: object) -> None:
    _ENCODER.encode(value).encode()


class _Walk:
    """One value, from its top down; it tracks its present containers, and the number of parts so far."""

    def __init__(self) -> None:
        self._within: set[int] = set()
        self._parts = 0

    def form(self, value: object, place: str) -> object:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _error(place, f"is too large: more than {MAX_PARTS} values")
        if value is None or isinstance(value, (bool, str, int, float)):
            return _simple(value, place)
        if id(value) in self._within:
            raise _error(place, "contains itself")
        if len(self._within) >= MAX_DEPTH:
            raise _error(place, f"is nested more than {MAX_DEPTH} levels deep")
        self._within.add(id(value))
        try:
            return self._part(value, place)
        except (NotJsonError, MemoryError):
            raise
        except Exception as error:
            # Code of the value's own, such as a property, was called.
            raise _error(place, f"cannot be read: {type(error).__name__}: {error}") from None
        finally:
            self._within.discard(id(value))

    def _part(self, value: object, place: str) -> object:
        for kinds, form in _FORMS:
            if isinstance(value, kinds):
                return self.form(form(value), place)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {each.name: self.form(getattr(value, each.name), f"{place}.{each.name}") for each in _fields(value)}
        if isinstance(value, Mapping):
            return self._object(cast("Mapping[object, object]", value), place)
        if isinstance(value, Set):
            return self._set(cast("Set[object]", value), place)
        if isinstance(value, (Sequence, ValuesView)):
            return self._list(cast("Iterable[object]", value), place)
        if not isinstance(value, type) and hasattr(value, "tolist"):
            return self.form(_array(value, place), place)
        raise _error(place, f"is {_called(value)}, which JSON has no form for{_remedy(value)}")

    def _object(self, value: Mapping[object, object], place: str) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, inner in value.items():
            said = self._key(key, place)
            if said in made:
                raise _error(place, f"has two keys that are {said!r} in JSON")
            made[said] = self.form(inner, f"{place}.{said}" if said.isidentifier() else f"{place}[{said!r}]")
        return made

    def _key(self, key: object, place: str) -> str:
        if isinstance(key, str):
            return str(_simple(key, f"{place}[{key!r}]"))
        where = f"{place}: its key {str(key)[:40]!r}"
        said = self.form(key, where)
        if isinstance(said, (str, bool, int, float)) or said is None:
            return said if isinstance(said, str) else json.dumps(said)
        raise _error(where, f"is {_called(key)}: a key is text")

    def _set(self, value: Set[object], place: str) -> list[object]:
        # In one order in every process: a replay compares.
        made = (self.form(each, f"{place}[{each!r:.40}]") for each in value)
        return sorted(made, key=lambda each: (isinstance(each, str), _rank(each), json.dumps(each)))

    def _list(self, value: Iterable[object], place: str) -> list[object]:
        return [self.form(each, f"{place}[{number}]") for number, each in enumerate(value)]


def _simple(value: bool | int | float | str | None, place: str) -> object:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        said = "NaN" if math.isnan(value) else "infinite"
        raise _error(place, f"is {said}, which JSON has no number for: send None, or leave it out")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _error(place, "is text with half a character in it (a lone surrogate)") from None
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            str(int(value))
        except ValueError:
            raise _error(place, "is a number with too many digits: send it as text") from None
    return value


def _rank(value: object) -> float:
    return value if isinstance(value, (int, float)) else 0.0


def _fields(value: Any) -> Sequence["dataclasses.Field[object]"]:
    return dataclasses.fields(value)


def _encoded(value: Any) -> object:
    return {"base64": base64.b64encode(bytes(value)).decode()}


def _path(value: Any) -> object:
    # A name of bytes becomes text, too.
    return os.fsdecode(value)


def _finite(value: decimal.Decimal) -> object:
    return str(value) if value.is_finite() else float(value)


class _Formed(ABC):  # noqa: B024 -- its hook is all of it
    """Any value whose type has a method `__json__`."""

    @classmethod
    def __subclasshook__(cls, kind: type, /) -> bool:
        return hasattr(kind, "__json__")


_FORMS: tuple[tuple[Any, Callable[[Any], object]], ...] = (
    (_Formed, lambda value: value.__json__()),
    (enum.Enum, lambda value: value.value),
    (_BYTES, _encoded),
    ((datetime.datetime, datetime.date, datetime.time), lambda value: value.isoformat()),
    (datetime.timedelta, lambda value: value.total_seconds()),
    (decimal.Decimal, _finite),
    ((uuid.UUID, UserString, ipaddress.IPv4Address, ipaddress.IPv6Address), str),
    ((ipaddress.IPv4Network, ipaddress.IPv6Network, ipaddress.IPv4Interface, ipaddress.IPv6Interface), str),
    (os.PathLike, _path),
    (types.SimpleNamespace, vars),
)


def _array(value: Any, place: str) -> object:
    """The numbers of a value with `tolist`: of numpy and its like, and the standard library's arrays."""
    size = getattr(value, "size", 1)
    if isinstance(size, int) and size > MAX_PARTS:
        raise _error(place, f"is too large: {size} values")
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("M", "m"):
        # Microseconds, as Python's own; nanoseconds would come as bare numbers.
        value = value.astype("datetime64[us]" if kind == "M" else "timedelta64[us]")
    made = value.tolist()
    # numpy's long double stays as it is.
    return float(made) if type(made) is type(value) else made


def _called(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of the type {type(value).__name__}"


def _remedy(value: object) -> str:
    if isinstance(value, (types.FunctionType, types.MethodType, types.BuiltinFunctionType, type)):
        return ": did you mean to call it, with ()?"
    if isinstance(value, types.CoroutineType):
        return ": await it"
    if isinstance(value, (Generator, map, filter, zip)):
        return ": send list(…) of it"
    if isinstance(value, complex):
        return ": send its .real and .imag"
    if isinstance(value, BaseException):
        return ": send str(…) of it"
    return ": send the fields that matter, as a dict"


def _error(place: str, why: str) -> NotJsonError:
    cut = place if len(place) <= _MAX_PLACE else f"{place[: _MAX_PLACE // 2]}…{place[-_MAX_PLACE // 2 :]}"
    return NotJsonError(f"{cut} {why}".encode(errors="replace").decode())
