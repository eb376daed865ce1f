"""What a function imports to have its event and context explained by an editor and checked by a type checker.

It works without, too: the board hands the same objects to a handler that imports nothing.

    from lamplight import Context, Event

    def handler(event: Event, context: Context) -> None: ...
"""

from device.event import Event
from device.runtime.worker.context import Context

__all__ = ["Context", "Event"]
