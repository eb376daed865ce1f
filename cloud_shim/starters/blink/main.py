"""A lamp that blinks: on for one event of the timer, off for the next."""


def handler(event, context):
    """Runs at each tick of the timer."""
    lamp = context.pins["led"]
    lamp.value = not lamp.value
