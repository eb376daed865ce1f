"""What a device reports of itself (docs/protocol.md, "REPORTED"), checked for those who show it.

A board may be hostile, and what it reports stands in a list with all others. Fields that are not named there pass. It
makes no report, and does not say what a report means.
"""

from .errors import ProtocolError
from .fields import flag, integer, name, number, table, text

Fields = dict[str, object]

_WHERE = "reported"
_MOST = 2**53


def check(report: Fields) -> None:
    """Raise ProtocolError for a report that lacks what every report has, or has it in another form."""
    _texts(report, ("board", "agent", "boot"), _WHERE)
    _counts(report, ("generation", "previous"), _WHERE)
    _update(table(report.get("update"), f"{_WHERE}.update"))
    for key, look in (("functions", _function), ("models", _model), ("sensors", _sensor)):
        for each, fields in _parts(report, key).items():
            look(fields, f"{_WHERE}.{key}.{each}")
    _generations(report)
    _strings(report, "confinement")
    flag(report, "ai", _WHERE)
    _optional(report)


def _update(update: Fields) -> None:
    where = f"{_WHERE}.update"
    _texts(update, ("state", "reason"), where)
    _counts(update, ("generation", "bytes", "total", "whole", "rate"), where)


def _function(fields: Fields, where: str) -> None:
    _texts(fields, ("state", "last_error"), where)
    _counts(fields, ("version", "restarts", "events", "errors"), where)
    deaths = table(fields.get("deaths", {}), f"{where}.deaths")
    _counts(deaths, tuple(deaths), f"{where}.deaths")


def _model(fields: Fields, where: str) -> None:
    _counts(fields, ("version",), where)


def _sensor(fields: Fields, where: str) -> None:
    flag(fields, "ok", where)
    text(fields, "error", where)


def _generations(report: Fields) -> None:
    """Which generations failed, why, and what that rests on."""
    for generation in _strings(report, "failed"):
        _number(generation, f"{_WHERE}.failed")
    evidence = table(report.get("evidence", {}), f"{_WHERE}.evidence")
    for generation, value in evidence.items():
        _number(generation, f"{_WHERE}.evidence")
        _verdict(table(value, f"{_WHERE}.evidence"))


def _verdict(fields: Fields) -> None:
    where = f"{_WHERE}.evidence"
    if "seconds" in fields and not 0 <= number(fields, "seconds", where) <= _MOST:
        raise ProtocolError(f"{where}.seconds: is no duration")
    text(fields, "last_error", where, "")
    for side in ("now", "before"):
        counts = table(fields.get(side, {}), where)
        _counts(counts, tuple(counts), where)


def _optional(report: Fields) -> None:
    """What a report lacks at first, or from a board that does not know it."""
    if report.get("runtime"):
        runtime = table(report["runtime"], f"{_WHERE}.runtime")
        _texts(runtime, ("version", "sha256", "previous", "lost", "safe"), f"{_WHERE}.runtime")
        flag(runtime, "trial", f"{_WHERE}.runtime")
    if report.get("disk"):
        _counts(table(report["disk"], f"{_WHERE}.disk"), ("free", "used"), f"{_WHERE}.disk")
    if report.get("platform"):
        platform = table(report["platform"], f"{_WHERE}.platform")
        _texts(platform, ("machine", "python"), f"{_WHERE}.platform")
        _counts(platform, ("glibc",), f"{_WHERE}.platform")


def _parts(report: Fields, key: str) -> dict[str, Fields]:
    where = f"{_WHERE}.{key}"
    return {name(each, where): table(value, where) for each, value in table(report.get(key), where).items()}


def _strings(report: Fields, key: str) -> Fields:
    fields = table(report.get(key), f"{_WHERE}.{key}")
    _texts(fields, tuple(fields), f"{_WHERE}.{key}")
    return fields


def _number(key: str, where: str) -> None:
    if not (key.isascii() and key.isdigit() and len(key) <= 19):
        raise ProtocolError(f"{where}: {key[:40]!r} is no generation's number")


def _texts(fields: Fields, keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        text(fields, key, where)


def _counts(fields: Fields, keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        integer(fields, key, where, 0, _MOST)
