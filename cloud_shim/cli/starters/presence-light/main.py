"""A lamp that comes on when someone is there and it is dark. Deploy the model it uses, models/presence, first."""

from lamplight import Context, Event


def handler(event: Event, context: Context) -> None:
    """Runs for each light reading; the model looks at the last 32 of them, which is 3.2 seconds."""
    window = event.data["window"]
    someone = context.models["presence"].run(window).label == "present"
    # By the brightest of them: the shadow of someone who passes is no night.
    dark = max(window) < context.config["threshold"]
    context.pins["led"].value = someone and dark
