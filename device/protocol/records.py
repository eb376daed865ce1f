"""The fields of a record, by its kind (docs/protocol/records.md), checked for display.

A board may be hostile, and its records stand beside those of all others. A kind unknown here passes with the fields
common to all. Fields for replays only are checked by replay/trace.py. Records are made elsewhere.
"""

from .errors import ProtocolError
from .fields import flag, integer, number, table, text

Fields = dict[str, object]

_WHERE = "record"
_MOST = 2**53
# The last second with a year of four digits, in seconds since 1970 (RFC 3339).
_LATEST = 253_402_300_799


def check(record: Fields) -> None:
    """Raise ProtocolError for a record with a field of its kind missing or in another form."""
    check_time(record, _WHERE)
    kind = text(record, "kind", _WHERE)
    for key in _TEXTS.get(kind, ()):
        text(record, key, _WHERE)
    for key in _COUNTS.get(kind, ()):
        integer(record, key, _WHERE, 0, _MOST)
    if look := _MORE.get(kind):
        look(record)


def check_time(fields: Fields, where: str, key: str = "time") -> None:
    """Raise ProtocolError unless its `key` is a moment writable as a date."""
    if not 0 <= number(fields, key, where) <= _LATEST:
        raise ProtocolError(f"{where}.{key}: is no date from 1970 to 9999")


def _reading(record: Fields) -> None:
    _lux(record)
    flag(record, "saturated", _WHERE)


def _lux(record: Fields) -> None:
    if not -1e9 <= number(record, "lux", _WHERE) <= 1e9:
        raise ProtocolError(f"{_WHERE}.lux: is no light")


def _decision(record: Fields) -> None:
    pins = table(record.get("pins"), "record.pins")
    for pin in pins:
        flag(pins, pin, "record.pins")
    if "lux" in record:
        _lux(record)
    number(record, "ms", _WHERE)
    _given(record)


def _given(record: Fields) -> None:
    given = table(record.get("given"), "record.given")
    text(given, "source", "record.given")
    check_time(given, "record.given")
    text(given, "settings", "record.given", "")


def _log(record: Fields) -> None:
    text(record, "event", _WHERE, "")


def _sensor(record: Fields) -> None:
    flag(record, "ok", _WHERE)


def _publish(record: Fields) -> None:
    if "data" not in record:
        raise ProtocolError(f"{_WHERE}.data: lacks")


def _output(record: Fields) -> None:
    for key in ("level", "before"):
        # null: unknown. Absent is another form.
        if key not in record or record[key] is not None:
            flag(record, key, _WHERE)


def _update(record: Fields) -> None:
    table(record.get("evidence", {}), "record.evidence")


_TEXTS = {
    "reading": ("sensor",),
    "decision": ("function", "event", "trigger"),
    "failure": ("function", "event", "trigger", "error"),
    "log": ("function", "level", "text"),
    "update": ("state", "reason"),
    "worker": ("function", "what", "detail"),
    "sensor": ("sensor", "error"),
    "dropped": ("stream",),
    "publish": ("function", "topic"),
    "output": ("pin", "function"),
}
_COUNTS = {
    "decision": ("version",),
    "failure": ("version",),
    "log": ("version",),
    "update": ("generation",),
    "worker": ("version",),
    "dropped": ("count",),
    "publish": ("version",),
    "output": ("changes",),
}
_MORE = {
    "reading": _reading,
    "decision": _decision,
    "failure": _given,
    "log": _log,
    "sensor": _sensor,
    "update": _update,
    "publish": _publish,
    "output": _output,
}
