"""Checked access to the fields of a decoded JSON or TOML table.

Every reader of outside data goes through these, so a wrong type or an unknown key is reported in one form: the path of
the field, its value, and the expected one.
"""

from .errors import ProtocolError

NAME_LENGTH = 63
MAX_DEPTH = 32
_NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
_HEX = "0123456789abcdef"


def table(value: object, where: str) -> dict[str, object]:
    """`value` as a table with string keys; raises ProtocolError otherwise."""
    if not isinstance(value, dict):
        raise ProtocolError(f"{where}: expected a table, found {_kind(value)}")
    result: dict[str, object] = {}
    for key in value:  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(key, str):
            raise ProtocolError(f"{where}: keys must be strings")
        result[key] = value[key]
    return result


def items(value: object, where: str) -> list[object]:
    """`value` as a list; raises ProtocolError otherwise."""
    if not isinstance(value, list):
        raise ProtocolError(f"{where}: expected a list, found {_kind(value)}")
    return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def only(fields: dict[str, object], known: tuple[str, ...], where: str) -> None:
    """Refuse unknown keys: a misspelt key must not pass in silence."""
    for key in fields:
        if key not in known:
            told = f"{where}: unknown key {key!r}; known are {', '.join(sorted(known)) or 'none'}"
            raise ProtocolError(told, where, key, known)


def text(fields: dict[str, object], key: str, where: str, default: str | None = None) -> str:
    """The string at `key`."""
    value = fields.get(key, default)
    if not isinstance(value, str):
        raise ProtocolError(f"{where}.{key}: expected a string, found {_kind(value)}")
    return value


def number(fields: dict[str, object], key: str, where: str, default: float | None = None) -> float:
    """The finite number at `key`."""
    value = fields.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ProtocolError(f"{where}.{key}: expected a number, found {_kind(value)}")
    if value != value or value in (float("inf"), float("-inf")):
        raise ProtocolError(f"{where}.{key}: must be finite")
    return value


def integer(fields: dict[str, object], key: str, where: str, low: int, high: int, default: int | None = None) -> int:
    """The whole number at `key`, between `low` and `high` inclusive."""
    value = fields.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProtocolError(f"{where}.{key}: expected a whole number, found {_kind(value)}")
    if not low <= value <= high:
        raise ProtocolError(f"{where}.{key}: {value} is not between {low} and {high}")
    return value


def flag(fields: dict[str, object], key: str, where: str, default: bool | None = None) -> bool:
    """The boolean at `key`."""
    value = fields.get(key, default)
    if not isinstance(value, bool):
        raise ProtocolError(f"{where}.{key}: expected true or false, found {_kind(value)}")
    return value


def name(value: object, where: str) -> str:
    """A name of a fleet, device, function, model, pin or sensor: `[a-z0-9][a-z0-9-]{0,62}`.

    It is narrow to be safe as a topic level, a file name and a TUF role name.
    """
    if not isinstance(value, str) or not is_name(value):
        raise ProtocolError(
            f"{where}: {value!r} is not a name; use lower-case letters, digits and '-', at most {NAME_LENGTH}"
        )
    return value


def is_name(value: str) -> bool:
    """Whether `value` may name a fleet, device, function, model, pin or sensor."""
    if not 0 < len(value) <= NAME_LENGTH or value[0] == "-":
        return False
    return all(c in _NAME_CHARACTERS for c in value)


def sha256(value: object, where: str) -> str:
    """A digest in lower-case hexadecimal."""
    if not isinstance(value, str) or len(value) != 64 or not all(c in _HEX for c in value):
        raise ProtocolError(f"{where}: expected a sha256 digest in lower-case hexadecimal")
    return value


def plain(value: object, where: str, depth: int = 0) -> None:
    """Refuse values that some readers of JSON refuse: infinities, lone surrogates, TOML's dates, endless nesting."""
    if depth > MAX_DEPTH:
        raise ProtocolError(f"{where}: is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        _encodable(value, where)
    elif isinstance(value, float):
        number({"number": value}, "number", where)
    elif isinstance(value, (dict, list)):
        for inner in _contents(value, where):  # pyright: ignore[reportUnknownArgumentType]
            plain(inner, where, depth + 1)
    elif value is not None and not isinstance(value, int):
        raise ProtocolError(f"{where}: {value!r} is not a text, number, boolean, list or table")


def _contents(value: object, where: str) -> list[object]:
    if isinstance(value, list):
        return items(value, where)  # pyright: ignore[reportUnknownArgumentType]
    fields = table(value, where)
    return [*fields.keys(), *fields.values()]


def _encodable(value: str, where: str) -> None:
    try:
        value.encode()
    except UnicodeError:
        raise ProtocolError(f"{where}: {value!r} is not valid Unicode") from None


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    kinds: dict[type[object], str] = {bool: "a boolean", str: "a string", int: "a number", float: "a number"}
    return kinds.get(type(value), "a list" if isinstance(value, list) else "a table")
