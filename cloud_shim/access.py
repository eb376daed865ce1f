"""Who may use which topic on the broker: one list of rules, whichever broker enforces it.

Pure. Rendered as mosquitto's access file by broker.py, asked directly by broker_fallback.py.
A device may use its own topics, each in its own direction, read chunks, and use the topics on which functions of the
fleet meet; the shim may use all of its fleet's.
"""

from typing import Literal

from device.protocol import topics

SHIM_USER = "_shim"
"""The shim's user on the broker. No device can have this name: names never hold an underscore."""

Direction = Literal["read", "write"]

_DEVICE_WRITES = (("presence", ""), ("reported", ""), ("want", ""), ("up", "+"), ("reply", "+"))
_DEVICE_READS = (("desired", ""), ("ack", ""), ("call", "+"))


def device_rules(fleet: str, user: str = "%u") -> list[tuple[Direction, str]]:
    """What the device `user` may do, as (direction, topic filter); mosquitto fills in "%u" itself."""
    writes: list[tuple[Direction, str]] = [("write", _filter(fleet, user, *kind)) for kind in _DEVICE_WRITES]
    reads: list[tuple[Direction, str]] = [("read", _filter(fleet, user, *kind)) for kind in _DEVICE_READS]
    shared = topics.shared(fleet, "#")
    return [*writes, *reads, ("read", f"{topics.ROOT}/{fleet}/c/+"), ("write", shared), ("read", shared)]


def mosquitto_acl(fleet: str) -> str:
    """The rules as mosquitto's access file."""
    shim = f"user {SHIM_USER}\ntopic readwrite {topics.ROOT}/{fleet}/#\n"
    return shim + "".join(f"pattern {direction} {topic}\n" for direction, topic in device_rules(fleet))


def may(fleet: str, user: str, direction: Direction, topic: str) -> bool:
    """Whether `user` may read or write the `topic` (no wildcards in it)."""
    if user == SHIM_USER:
        return topic.startswith(f"{topics.ROOT}/{fleet}/")
    return any(ruled == direction and topics.matches(rule, topic) for ruled, rule in device_rules(fleet, user))


def _filter(fleet: str, user: str, kind: str, leaf: str) -> str:
    return str(topics.Topic(fleet, kind, user, leaf))
