"""When a cron schedule is due, with time zones and their summer time. Pure, but for reading the zone.

The rules are Debian cron's, as the library cronsim implements them. When the clocks skip a time of day, it is due at
the end of the skipped hour; when they repeat it, it is due the first time only. A schedule with "*" at the start of its
minute or hour means intervals and follows the real passage of time: a repeated hour counts twice.
"""

import io
import logging
import os
import struct
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from device.errors import BadArtifactError

_LOCAL = Path("/etc/localtime")
_log = logging.getLogger(__name__)


class Calendar:
    """The moments of `schedule` in `zone` ("": the board's).

    Raises BadArtifactError for an unreadable schedule, one without any due time, or a zone unknown here.
    """

    def __init__(self, schedule: str, zone: str = "") -> None:
        self._schedule = schedule
        self._named = bool(zone)
        self._set: tuple[object, ...] = _setting()
        self._zone = _zone(zone)
        try:
            next(CronSim(schedule, datetime(2020, 1, 1, tzinfo=self._zone)))
        except (CronSimError, StopIteration) as error:
            raise BadArtifactError(
                f"the schedule {schedule!r} cannot be used",
                str(error) or "no day fits it",
                "write minute, hour, day, month and day of the week: '30 7 * * MON-FRI'",
            ) from None

    def follow(self) -> bool:
        """Take up the board's zone when somebody has set another one; gives whether it changed.

        A zone named by the schedule stays.
        """
        now = _setting()
        if self._named or now == self._set:
            return False
        self._set, self._zone = now, _board_zone()
        return True

    def after(self, moment: float) -> float | None:
        """The first due time after `moment`, both in seconds since 1970; None after the last."""
        for due in CronSim(self._schedule, datetime.fromtimestamp(moment, self._zone)):
            # In a repeated hour the library begins with the first pass, and that may be over.
            if due.timestamp() > moment:
                return due.timestamp()
        return None

    def written(self, moment: float) -> str:
        """`moment` as RFC 3339 writes it, in this calendar's zone."""
        return datetime.fromtimestamp(moment, self._zone).isoformat()


def _zone(name: str) -> tzinfo:
    if not name:
        return _board_zone()
    try:
        # The library treats datetime's own UTC as a zone without changes.
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadArtifactError(
            f"there is no time zone {name!r} here",
            "",
            "write it as in 'Europe/Berlin', or leave it out for the board's",
        ) from None


def _setting() -> tuple[object, ...]:
    """The board's settings of the zone: they change when somebody sets another one."""
    try:
        told = _LOCAL.stat()
        return os.environ.get("TZ"), told.st_dev, told.st_ino, told.st_mtime_ns
    except OSError:
        return (os.environ.get("TZ"),)


def _board_zone() -> tzinfo:
    """The environment's TZ when it can be read, or else the system's; UTC when both are silent."""
    name = os.environ.get("TZ", "").lstrip(":")
    zone = _environment_zone(name) if name else None
    if name and zone is None:
        _log.warning("The environment's TZ is %r, which is no time zone; the system's is used", name[:80])
    return zone or _file_zone(_LOCAL) or UTC


def _environment_zone(name: str) -> tzinfo | None:
    """The zone of TZ: given by its name, the path of its file, or a rule such as CET-1CEST,M3.5.0,M10.5.0/3.

    POSIX.1-2017, 8.3, has the form of the rules.
    """
    if name.startswith("/"):
        return _file_zone(Path(name))
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _rule_zone(name)


def _file_zone(path: Path) -> tzinfo | None:
    try:
        with path.open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except (ValueError, OSError):
        return None


def _rule_zone(rule: str) -> tzinfo | None:
    """The zone of a POSIX rule, read by the standard library as the last line of a zone file (RFC 8536, 3.3)."""
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 1)
    nothing_yet = struct.pack(">lbb1s", 0, 0, 0, b"\0")
    try:
        file = io.BytesIO((header + nothing_yet) * 2 + b"\n" + rule.encode("ascii") + b"\n")
        return ZoneInfo.from_file(file, key="local")
    except ValueError:
        return None
