"""The access to topics on the broker: one list of rules, whichever broker enforces it.

Pure. Rendered as mosquitto's access file by setup.py, asked directly by fallback.py.

A device may use its own topics, each in its own direction, read chunks, and use the topics on which functions of the
fleet meet. The shim may use all of its fleet's. A board before it is let in, and a device whose password has ended,
have a password and stand in no list. They may do one thing: ask for a password, under their own client id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from device.protocol import topics
from device.protocol.fields import is_name

SHIM_USER = "_shim"
"""The shim's user on the broker. The underscore keeps it apart from devices: their names never hold one."""

Direction = Literal["read", "write"]

# By their names: whatever a device may publish, the broker may have to keep for it.
_UP = tuple(("up", stream) for stream in topics.STREAMS)
_DEVICE_WRITES = (("presence", ""), ("reported", ""), ("want", ""), *_UP, ("reply", "+"))
_DEVICE_READS = (("desired", ""), ("ack", ""), ("call", "+"))


def device_rules(fleet: str, device: str) -> list[tuple[Direction, str]]:
    """The device's rights, as (direction, topic filter)."""
    writes: list[tuple[Direction, str]] = [("write", _filter(fleet, device, *kind)) for kind in _DEVICE_WRITES]
    reads: list[tuple[Direction, str]] = [("read", _filter(fleet, device, *kind)) for kind in _DEVICE_READS]
    shared = topics.shared(fleet, "#")
    return [*writes, *reads, ("read", f"{topics.ROOT}/{fleet}/c/+"), ("write", shared), ("read", shared)]


def asking_rules(fleet: str, user: str = "%u", client: str = "%c") -> list[tuple[Direction, str]]:
    """The rights of everybody with a password; mosquitto fills in "%u" and "%c", the client's id, itself."""
    base = f"{topics.ROOT}/{fleet}/e/{user}/{client}"
    return [("write", f"{base}/ask"), ("read", f"{base}/answer")]


@dataclass(frozen=True)
class Closed:
    """Topics that nobody but the shim may write for a time, since somebody floods there: one cannot tell who."""

    shared: bool = False
    asking: bool = False


OPEN = Closed()


def mosquitto_acl(fleet: str, devices: Iterable[str] = (), closed: Closed = OPEN) -> str:
    """The rules as mosquitto's access file, for these devices. By name, for a pattern would hold for every user."""
    lines = [f"user {SHIM_USER}", f"topic readwrite {topics.ROOT}/{fleet}/#"]
    shut = ("write", topics.shared(fleet, "#")) if closed.shared else None
    for device in sorted(devices):
        rules = [rule for rule in device_rules(fleet, device) if rule != shut]
        lines += [f"user {device}", *(f"topic {direction} {topic}" for direction, topic in rules)]
    rules = [rule for rule in asking_rules(fleet) if not closed.asking or rule[0] == "read"]
    lines += [f"pattern {direction} {topic}" for direction, topic in rules]
    return "".join(f"{line}\n" for line in lines)


def listed(acl: str) -> set[str]:
    """The devices named in such a file."""
    users = {line.removeprefix("user ") for line in acl.splitlines() if line.startswith("user ")}
    return users - {SHIM_USER}


def may(fleet: str, user: str, direction: Direction, topic: str) -> bool:
    """Whether `user`, the shim or a device in good standing, may read or write the `topic` (free of wildcards)."""
    if user == SHIM_USER:
        return topic.startswith(f"{topics.ROOT}/{fleet}/")
    if not is_name(user):
        return False
    rules = [*device_rules(fleet, user), *asking_rules(fleet, user, "+")]
    return any(ruled == direction and topics.matches(rule, topic) for ruled, rule in rules)


def writer(topic: str) -> str:
    """The credential that may write the topic, a device's or that of boards that ask; "" when every device may."""
    levels = topic.split("/")
    return levels[4] if len(levels) > 4 and levels[3] in ("d", "e") else ""


def _filter(fleet: str, user: str, kind: str, leaf: str) -> str:
    return str(topics.Topic(fleet, kind, user, leaf))
