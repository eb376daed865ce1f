"""A lamp that blinks: on for one event of the timer, off for the next."""

from lamplight import Context, Event


def handler(event: Event, context: Context) -> None:
    """Runs at each tick of the timer."""
    lamp = context.pins["led"]
    lamp.value = not lamp.value
