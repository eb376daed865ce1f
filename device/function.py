"""`from device.function import Context, Event`: the older spelling of `from lamplight import Context, Event`.

Functions in the field import it. A function with a `device.py` of its own uses the other.
"""

from device.event import Event
from device.runtime.worker.context import Context

__all__ = ["Context", "Event"]
