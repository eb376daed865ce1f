"""Durations and sizes, as manifests write them."""

from .errors import ProtocolError
from .fields import text

_UNITS = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0))
MIB = 1024 * 1024


def duration(value: str, where: str) -> float:
    """Seconds in "200ms", "2s", "5m" or "1h"; raises ProtocolError for anything else, an empty text included."""
    for unit, factor in _UNITS:
        if value.endswith(unit) and (number := count(value[: -len(unit)])):
            return number * factor
    raise ProtocolError(f"{where}: {value!r} is not a duration; write '200ms', '2s', '5m' or '1h'")


def mebibytes(fields: dict[str, object], where: str, default: int, key: str = "memory") -> int:
    """The bytes of a size in MiB at `key`, as in "64M"."""
    if key not in fields:
        return default
    value = text(fields, key, where)
    if value.endswith("M") and 1 <= count(value[:-1]) <= 65536:
        return count(value[:-1]) * MIB
    raise ProtocolError(f"{where}.{key}: {value!r} is not a size; write '64M'")


def count(value: str) -> int:
    """The whole number up to 999,999 written in ASCII digits in `value`; 0 for any other text."""
    return int(value) if 0 < len(value) <= 6 and all(c in "0123456789" for c in value) else 0
