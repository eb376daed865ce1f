"""CloudEvents 1.0 in JSON ("structured mode"): the messages between a fleet's functions, on the fleet's own topics.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from .errors import ProtocolError
from .fields import integer, text
from .messages import decode, encode

MESSAGE = "lamplight.message"
# Its content must fit into an event, and an event has room for 128 kB.
MAX_PAYLOAD = 96 * 1024
# After so many functions a message is not sent on: they start each other in a circle.
MAX_HOPS = 16


class Message:
    """One message. `source` is the path of the sending function, `time` is RFC 3339's, `topic` lacks the root.

    `hops` is an attribute of our own: how many functions led to it, its sender included; 0 from elsewhere.
    """

    def __init__(self, id: str, source: str, time: str, topic: str, data: object, hops: int = 0) -> None:
        self.id = id
        self.source = source
        self.time = time
        self.topic = topic
        self.data = data
        self.hops = hops

    def encode(self) -> bytes:
        """The body. Raises ValueError or TypeError for a value JSON cannot hold, ProtocolError for one too long."""
        hops = {"hops": self.hops} if self.hops else {}
        payload = encode(
            {
                **hops,
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
        integer(fields, "hops", "event", 0, MAX_HOPS) if "hops" in fields else 0,
    )


def _check_length(payload: bytes) -> None:
    if len(payload) > MAX_PAYLOAD:
        raise ProtocolError(f"event: {len(payload)} bytes; at most {MAX_PAYLOAD}")
