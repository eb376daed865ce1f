"""The views of an event that the clouds' forms share. Pure."""

import json
import uuid
from datetime import datetime

from device.event import Event


def kind(event: Event) -> str:
    """The trigger that made it, such as "timer"; "call" for a call, "" for an event that is not Lamplight's own."""
    return event.type.split(".")[1] if event.type.startswith("lamplight.") else ""


def request_id(event: Event) -> str:
    """A UUID for ever: `source` and `id` together name one event, also when it is replayed."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event.source}#{event.id}"))


def planned(event: Event) -> float:
    """The moment for which a timer's or a cron's event was planned, in seconds since 1970."""
    scheduled = event.data.get("scheduled")
    return datetime.fromisoformat(scheduled).timestamp() if scheduled else event.time


def text(event: Event) -> str:
    """The content of a message."""
    data = event.data["data"]
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
