"""A cloud's schedules as our timer and cron triggers: EventBridge's `rate(…)` and `cron(…)`, SCF's seven fields. Pure.

Raises ValueError with the reason for one that has no like here.
"""

import re

from cloud_shim.cli.moving.found import Trigger
from device.calendar import Calendar
from device.errors import BadArtifactError

_RATE = re.compile(r"rate\(\s*(\d{1,6})\s+(minute|hour|day)s?\s*\)")
_UNITS = {"minute": ("m", 1), "hour": ("h", 1), "day": ("h", 24)}
_SECONDS = re.compile(r"\*/(\d{1,2})( \*){6}")


def of_aws(expression: str, zone: str = "UTC") -> Trigger:
    """The trigger for `rate(5 minutes)` or `cron(0 12 * * ? *)`, whose time is UTC unless it says another."""
    text = expression.strip()
    if found := _RATE.fullmatch(text):
        unit, times = _UNITS[found.group(2)]
        return {"type": "timer", "every": f"{int(found.group(1)) * times}{unit}"}
    if not (text.startswith("cron(") and text.endswith(")")):
        raise ValueError("it is neither rate(…) nor cron(…)")
    fields = text[5:-1].split()
    if len(fields) != 6:
        raise ValueError(f"cron(…) has six fields, not {len(fields)}")
    minute, hour, day, month, weekday, year = fields
    _check_year(year)
    # There Sunday is 1, here it is 0.
    return _cron([minute, hour, day, month, _shifted(weekday)], zone)


def of_scf(expression: str) -> Trigger:
    """The trigger for SCF's cron, `0 */5 * * * * *`, in the time of Beijing; five fields are read as well."""
    text = " ".join(expression.split())
    if found := _SECONDS.fullmatch(text):
        return {"type": "timer", "every": f"{max(1, int(found.group(1)))}s"}
    fields = text.split()
    if len(fields) == 7:
        if fields[0] != "0":
            raise ValueError(f"its second is {fields[0]!r}, and a schedule here begins at a full minute")
        _check_year(fields[6])
        fields = fields[1:6]
    if len(fields) != 5:
        raise ValueError(f"SCF's cron has seven fields, not {len(fields)}")
    return _cron(fields, "Asia/Shanghai")


def _cron(fields: list[str], zone: str) -> Trigger:
    schedule = " ".join("*" if each == "?" else each for each in fields)
    try:
        Calendar(schedule, zone)
    except BadArtifactError as error:
        raise ValueError(f"{error.what}: {error.why}") from None
    return {"type": "cron", "schedule": schedule, "zone": zone}


def _check_year(year: str) -> None:
    if year != "*":
        raise ValueError(f"it is limited to the year {year}, and a schedule here has no year")


def _shifted(weekday: str) -> str:
    """The day of the week with each number one less: "2-6" is "1-5"; a number behind "#" or "/" is no day."""
    return re.sub(r"(?<![#/\w])([1-7])(?!\w)", lambda found: str(int(found.group(1)) - 1), weekday)
