"""CloudEvents 1.0 in JSON ("structured mode"): the messages between a fleet's functions, on the fleet's own topics.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from .errors import ProtocolError
from .fields import integer, is_name, text
from .messages import decode, encode

MESSAGE = "lamplight.message"
# Its content must fit into an event, and an event has room for 128 kB.
MAX_PAYLOAD = 96 * 1024
# After so many functions a message is not sent on: they start each other in a circle.
MAX_HOPS = 16


class Message:
    """One message. `source` is the path of the sending function, `time` is RFC 3339's, `topic` lacks the root.

    `trail` names the functions that led to it, its sender last, as "device/function", or "" for an unnamed one; it is
    empty from elsewhere. It travels in two attributes of our own: `hops`, their number, and `trail`, the last names.
    """

    def __init__(
        self, id: str, source: str, time: str, topic: str, data: object, trail: "tuple[str, ...]" = ()
    ) -> None:
        self.id = id
        self.source = source
        self.time = time
        self.topic = topic
        self.data = data
        self.trail = trail

    def encode(self) -> bytes:
        """The body. Raises ValueError or TypeError for a value JSON cannot hold, ProtocolError for one too long."""
        payload = encode(
            {
                **_attributes(self.trail),
                "specversion": "1.0",
                "id": self.id,
                "source": self.source,
                "type": MESSAGE,
                "subject": self.topic,
                "time": self.time,
                "datacontenttype": "application/json",
                "data": self.data,
            }
        )
        _check_length(payload)
        return payload


def message(topic: str, payload: bytes) -> Message:
    """The message received on `topic`; other CloudEvents are taken as well. Raises ProtocolError for anything else."""
    _check_length(payload)
    fields = decode(payload, "event")
    if text(fields, "specversion", "event") != "1.0":
        raise ProtocolError(f"event.specversion: {fields['specversion']!r} is unknown; known is 1.0")
    text(fields, "type", "event")
    return Message(
        text(fields, "id", "event"),
        text(fields, "source", "event"),
        text(fields, "time", "event", ""),
        topic,
        fields.get("data"),
        _trail(fields),
    )


def _attributes(trail: "tuple[str, ...]") -> "dict[str, object]":
    """The attributes of a trail. Names before an unnamed function stay out: it cannot be written."""
    if not trail:
        return {}
    unnamed = [place for place, name in enumerate(trail) if not name]
    named = trail[unnamed[-1] + 1 :] if unnamed else trail
    return {"hops": len(trail), **({"trail": " ".join(named)} if named else {})}


def _trail(fields: "dict[str, object]") -> "tuple[str, ...]":
    """The trail in an event's attributes; an agent that knows `hops` alone names nobody."""
    hops = integer(fields, "hops", "event", 0, MAX_HOPS) if "hops" in fields else 0
    named = text(fields, "trail", "event", "").split()
    if len(named) > hops or not all(len(each.split("/")) == 2 and all(map(is_name, each.split("/"))) for each in named):
        raise ProtocolError("event.trail: names no functions, or more than hops says")
    return (*[""] * (hops - len(named)), *named)


def _check_length(payload: bytes) -> None:
    if len(payload) > MAX_PAYLOAD:
        raise ProtocolError(f"event: {len(payload)} bytes; at most {MAX_PAYLOAD}")
