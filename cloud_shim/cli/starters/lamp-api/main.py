"""A lamp with an HTTP interface on the board itself."""

from lamplight import Context, Event


def handler(event: Event, context: Context) -> dict[str, object]:
    """Runs at each request: PUT sets the lamp to "on" or "off", and both methods tell how it is."""
    lamp = context.pins["led"]
    if event.data["method"] == "PUT":
        wanted: str = event.data["body"].strip()
        if wanted not in ("on", "off"):
            return {"status": 400, "body": "say on or off\n"}
        lamp.value = wanted == "on"
    return {"lit": lamp.value}
