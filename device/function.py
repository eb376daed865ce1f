"""What a function imports to have its event and context explained by an editor; it works without, too.

from device.function import Context, Event

def handler(event: Event, context: Context) -> None: ...
"""

from device.event import Event
from device.runtime.worker.context import Context

__all__ = ["Context", "Event"]
