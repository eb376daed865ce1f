"""When a cron schedule is due, with time zones and their summer time. Pure, but for reading the zone.

The rules are Debian cron's, which the library cronsim implements. A time of day that a change of the clocks skips is
due when the skipped hour is over; one that it repeats is due the first time only. A schedule whose minute or hour
begins with "*" means intervals and follows the time that really passes: a repeated hour counts twice.
"""

import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from device.errors import BadArtifactError

_LOCAL = Path("/etc/localtime")


class Calendar:
    """The moments of `schedule` in `zone` ("": the board's).

    Raises BadArtifactError when the schedule cannot be read or never comes, or there is no such zone here.
    """

    def __init__(self, schedule: str, zone: str = "") -> None:
        self._schedule = schedule
        self._zone = _zone(zone)
        try:
            next(CronSim(schedule, datetime(2020, 1, 1, tzinfo=self._zone)))
        except (CronSimError, StopIteration) as error:
            raise BadArtifactError(
                f"the schedule {schedule!r} cannot be used",
                str(error) or "no day fits it",
                "write minute, hour, day, month and day of the week: '30 7 * * MON-FRI'",
            ) from None

    def after(self, moment: float) -> float | None:
        """The first due time after `moment`, both in seconds since 1970; None when there is none any more."""
        for due in CronSim(self._schedule, datetime.fromtimestamp(moment, self._zone)):
            # In an hour that is repeated the library begins with its first pass, which may be over.
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


def _board_zone() -> tzinfo:
    """The environment's TZ when it names a zone, or else the system's; UTC when neither says."""
    try:
        if name := os.environ.get("TZ", "").lstrip(":"):
            return ZoneInfo(name)
        with _LOCAL.open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
