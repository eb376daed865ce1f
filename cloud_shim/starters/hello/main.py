"""A function that answers when it is called: lamplight call DEVICE/hello '{"name": "Ada"}'."""


def handler(event, context):
    """Runs at each call; `event.data` is what the caller sent, and what is returned is the answer."""
    name = (event.data or {}).get("name", "world")
    context.log.info(f"greeting {name}")
    return {"greeting": f"{context.config['greeting']}, {name}!"}
