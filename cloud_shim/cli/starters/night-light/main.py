"""A lamp that comes on in the dark."""

from lamplight import Context, Event


def handler(event: Event, context: Context) -> None:
    """Runs for each light reading: the lamp is on while it is darker than the threshold."""
    context.pins["led"].value = event.data["lux"] < context.config["threshold"]
