"""The event that a trigger makes and a handler is given. Its attributes are CloudEvents 1.0's."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event.

    `id` is unique within the device's boot, `source` names the trigger ("sensor/light"), `type` what happened
    ("lamplight.sensor.reading"), `time` is in seconds since 1970 by the board's clock, `data` is JSON-like.
    Sensor events carry {"lux": float, "window": [float, …], "saturated": bool}; timer events {"missed": int};
    calls carry whatever the caller sent.
    """

    id: str
    source: str
    type: str
    time: float
    data: Any
