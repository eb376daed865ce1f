"""The types of a handler's event and context, for an editor to complete and a type checker to check.

A function works without this import, too: the board hands the same objects to its handler.

Examples:
    >>> from lamplight import Context, Event
    >>> def handler(event: Event, context: Context) -> None:
    ...     context.pins["led"].value = event.data["lux"] < context.config["threshold"]
    >>> handler(event, context)
    >>> context.pins["led"].value
    True
"""

from device.event import Event
from device.runtime.worker.context import Context

__all__ = ["Context", "Event"]
