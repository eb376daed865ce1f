"""The event made by a trigger and given to a handler. Its attributes are CloudEvents 1.0's.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md says what they mean. This module carries events; the
triggers make them.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar


@dataclass(frozen=True)
class Event:
    """One event.

    `source` says where it comes from: `/<fleet>/<device>/<boot>/<trigger>`, such as `/home/desk-pi/12-9f3a61c2/timer`.
    `id` is unique within its source, so both together name an event for ever. `type` is the kind of occurrence
    ("lamplight.sensor.reading"), `subject` the thing it happened to (the sensor, the pin, the file) or "". `time` is in
    seconds since 1970 by the board's clock. `data` is JSON-like; docs/functions.md has its form for each type. `hops`
    counts the functions on the way to it, each starting the next by a message or a result: 0 for a first event.

    Examples:
        >>> event = Event(
        ...     id="7",
        ...     source="/home/desk-pi/12-9f3a61c2/sensor/light",
        ...     type="lamplight.sensor.reading",
        ...     time=1767225600.0,
        ...     data={"lux": 12.5, "window": [12.5], "saturated": False},
        ...     subject="light",
        ... )
        >>> event.data["lux"]
        12.5
    """

    specversion: ClassVar[str] = "1.0"
    datacontenttype: ClassVar[str] = "application/json"

    id: str
    source: str
    type: str
    time: float
    data: Any
    subject: str = ""
    hops: int = 0

    def cloudevent(self) -> dict[str, Any]:
        """The event in CloudEvents' JSON format, to hand on to other systems; `time` as RFC 3339 has it.

        Examples:
            >>> Event("7", "timer", "lamplight.timer.tick", 1767225600.0, {"missed": 0}).cloudevent()["time"]
            '2026-01-01T00:00:00.000Z'
        """
        attributes = {"specversion": self.specversion, "id": self.id, "source": self.source, "type": self.type}
        subject = {"subject": self.subject} if self.subject else {}
        return {
            **attributes,
            **subject,
            **({"hops": self.hops} if self.hops else {}),
            "time": rfc3339(self.time),
            "datacontenttype": self.datacontenttype,
            "data": self.data,
        }


def rfc3339(time: float) -> str:
    """Seconds since 1970 as RFC 3339 writes them, in UTC, with milliseconds."""
    second, fraction = divmod(round(time * 1e6), 1_000_000)
    return f"{_second(second)}.{fraction // 1000:03d}Z"


# Of events, many fall into one second.
@lru_cache(8)
def _second(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat().removesuffix("+00:00")


def as_text(data: bytes) -> tuple[str, bool]:
    """How `data` is said in an event: as text when it is UTF-8, or else in base64; whether it is the latter."""
    try:
        return data.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(data).decode(), True
