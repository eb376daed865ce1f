"""The lines that `lamplight logs` is asked for: of a level and worse, since a moment, with a text in them. Pure.

It judges records; fetching and showing them is left to commands/logs.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud_shim.cli import lines
from device.errors import UsageError

LEVELS = ("debug", "info", "warning", "error")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BAD_UPDATES = ("REVERTED", "REJECTED")
_CALM_WORKERS = ("started", "stopped")


@dataclass(frozen=True)
class Filter:
    """The wanted lines: from this level on ("" for all), not before `since`, with `pattern` in their text."""

    level: str = ""
    since: float = 0.0
    pattern: re.Pattern[str] | None = None

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Filter()

    def takes(self, record: Mapping[str, Any]) -> bool:
        """Whether this RECORD is wanted."""
        if self.level and LEVELS.index(level(record)) < LEVELS.index(self.level):
            return False
        return record["time"] >= self.since and (self.pattern is None or bool(self.pattern.search(_text(record))))


def asked(level: str, since: str, grep: str, now: float) -> Filter:
    """The filter that the options ask for; `now` in seconds since 1970. Raises UsageError."""
    try:
        pattern = re.compile(grep) if grep else None
    except re.error as error:
        raise UsageError(
            f"--grep {grep!r} is no regular expression", str(error), r"a character such as ( wants \ before it"
        ) from None
    return Filter(level, moment(since, now) if since else 0.0, pattern)


def moment(said: str, now: float) -> float:
    """`said` in seconds since 1970: "10m" ago, or a date, a time of today, or both, by this machine's clock."""
    if ago := re.fullmatch(r"(\d{1,9})([smhd])", said):
        return now - int(ago[1]) * _UNITS[ago[2]]
    today = datetime.fromtimestamp(now).date().isoformat()
    try:
        clock = re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", said)
        return datetime.fromisoformat(f"{today}T{said.rjust(5, '0')}" if clock else said).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"--since {said!r} is no moment", "", "write 10m, 2h or 1d for so long ago, 07:30, or 2026-06-01T07:30"
        ) from None


def level(record: Mapping[str, Any]) -> str:
    """The level of a RECORD; an event around the log has the one that its line would have."""
    kind = record["kind"]
    if kind == "log":
        return record["level"] if record["level"] in LEVELS else "info"
    if kind == "dropped":
        return "warning"
    bad = (
        (kind == "worker" and record["what"] not in _CALM_WORKERS)
        or (kind == "sensor" and not record["ok"])
        or (kind == "update" and record["state"] in _BAD_UPDATES)
    )
    return "error" if bad else "info"


def _text(record: Mapping[str, Any]) -> str:
    """The line as it is shown, without its clock."""
    return "".join(text for text, _ in lines.record(dict(record))[1:])
