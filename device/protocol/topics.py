"""MQTT topics: built and parsed here and nowhere else.

lamplight/1/<fleet>/d/<device>/presence     retained; also the will
lamplight/1/<fleet>/d/<device>/desired      retained, from the shim
lamplight/1/<fleet>/d/<device>/reported     retained, from the device
lamplight/1/<fleet>/d/<device>/want         digests of missing chunks
lamplight/1/<fleet>/d/<device>/up/<stream>  batches from the device's outbox
lamplight/1/<fleet>/d/<device>/ack          the batches made durable by the shim
lamplight/1/<fleet>/d/<device>/call/<function>    a call from the cloud
lamplight/1/<fleet>/d/<device>/reply/<function>   its answer
lamplight/1/<fleet>/c/<sha256>              one chunk, retained
lamplight/1/<fleet>/t/<name>/…              messages between functions, up to 8 names
lamplight/1/<fleet>/e/<user>/<client>/ask   <user>, connected with the client id <client>, asks for a password
lamplight/1/<fleet>/e/<user>/<client>/answer      the shim's answer to it
"""

from .errors import ProtocolError
from .fields import is_name, name, sha256
from .triggers import MOST_LEVELS, topic_filter

ROOT = "lamplight/1"
STREAMS = ("telemetry", "logs", "events")
STATES = ("presence", "reported")
"""The kinds that tell a device's state: the newest message is all there is to know."""
_PLAIN = ("presence", "desired", "reported", "want", "ack")
_WITH_FUNCTION = ("call", "reply")
_ENROLMENT = ("ask", "answer")
ENROL_USER = "_enrol"
"""The user of boards still without a password of their own. No device can have this name."""
_CLIENT_LENGTH = 160


class Topic:
    """A parsed topic. `kind` is the level after the device (or "chunk", "topic"); `leaf` is the rest.

    Of "ask" and "answer" the device is the user, ENROL_USER for a board without a name, and `leaf` the client id.
    """

    def __init__(self, fleet: str, kind: str, device: str = "", leaf: str = "") -> None:
        self.fleet = fleet
        self.kind = kind
        self.device = device
        self.leaf = leaf

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Topic) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        if self.kind == "chunk":
            return chunk(self.fleet, self.leaf)
        if self.kind == "topic":
            return shared(self.fleet, self.leaf)
        if self.kind in _ENROLMENT:
            return f"{ROOT}/{self.fleet}/e/{self.device}/{self.leaf}/{self.kind}"
        base = f"{ROOT}/{self.fleet}/d/{self.device}/{self.kind}"
        return f"{base}/{self.leaf}" if self.leaf else base


def of_device(fleet: str, device: str, kind: str) -> str:
    """The topic of one of the plain kinds: presence, desired, reported, want, ack."""
    if kind not in _PLAIN:
        raise ProtocolError(f"topic: unknown kind {kind!r}")
    return str(Topic(name(fleet, "fleet"), kind, name(device, "device")))


def up(fleet: str, device: str, stream: str) -> str:
    """Where the device sends batches of `stream`."""
    if stream not in STREAMS:
        raise ProtocolError(f"topic: unknown stream {stream!r}; known are {', '.join(STREAMS)}")
    return str(Topic(name(fleet, "fleet"), "up", name(device, "device"), stream))


def call(fleet: str, device: str, function: str) -> str:
    """Where the cloud calls `function`."""
    return str(Topic(name(fleet, "fleet"), "call", name(device, "device"), name(function, "function")))


def reply(fleet: str, device: str, function: str) -> str:
    """Where the device answers a call of `function`."""
    return str(Topic(name(fleet, "fleet"), "reply", name(device, "device"), name(function, "function")))


def chunk(fleet: str, digest: str) -> str:
    """Where the chunk with this sha256 is retained."""
    return f"{ROOT}/{name(fleet, 'fleet')}/c/{sha256(digest, 'chunk')}"


def shared(fleet: str, topic: str) -> str:
    """Where functions of the fleet meet: `topic` is one of names, or a filter on such topics."""
    return f"{ROOT}/{name(fleet, 'fleet')}/t/{topic_filter(topic, 'topic')}"


def enrolment(fleet: str, user: str, client: str, kind: str) -> str:
    """The topic for `user`, connected with the client id `client`, to ask for a password or be answered."""
    if kind not in _ENROLMENT:
        raise ProtocolError(f"topic: unknown kind {kind!r}")
    return str(Topic(name(fleet, "fleet"), kind, _user(user), _client(client)))


def is_fleet_topic(topic: str) -> bool:
    """Whether `topic` can be shared by a fleet's functions: up to 8 names with "/" between them."""
    levels = topic.split("/")
    return len(levels) <= MOST_LEVELS and all(is_name(level) for level in levels)


def matches(filter: str, topic: str) -> bool:
    """Whether the subscription `filter` gets the messages on `topic` (MQTT 3.1.1, 4.7)."""
    wanted, levels = filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        # "a/#" is about "a" as well.
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    return len(wanted) == len(levels) and all(w in ("+", level) for w, level in zip(wanted, levels, strict=True))


def calls_filter(fleet: str, device: str) -> str:
    """The subscription of a device to all its calls."""
    return f"{ROOT}/{name(fleet, 'fleet')}/d/{name(device, 'device')}/call/+"


def fleet_filter(fleet: str, kind: str) -> str:
    """The shim's subscription to one kind from every device."""
    if kind == "ask":
        return f"{ROOT}/{name(fleet, 'fleet')}/e/+/+/ask"
    base = f"{ROOT}/{name(fleet, 'fleet')}/d/+/{kind}"
    if kind in ("up", *_WITH_FUNCTION):
        return f"{base}/+"
    if kind not in _PLAIN:
        raise ProtocolError(f"topic: unknown kind {kind!r}")
    return base


def parse(topic: str) -> Topic:
    """The parts of `topic`; raises ProtocolError for a foreign one."""
    levels = topic.split("/")
    if len(levels) < 5 or "/".join(levels[:2]) != ROOT:
        raise ProtocolError(f"topic: {topic!r} is not of this protocol")
    fleet = name(levels[2], "topic fleet")
    if levels[3] == "c" and len(levels) == 5:
        return Topic(fleet, "chunk", leaf=sha256(levels[4], "topic chunk"))
    if levels[3] == "t" and is_fleet_topic("/".join(levels[4:])):
        return Topic(fleet, "topic", leaf="/".join(levels[4:]))
    if levels[3] == "e" and len(levels) == 7 and levels[6] in _ENROLMENT:
        return Topic(fleet, levels[6], _user(levels[4]), _client(levels[5]))
    if levels[3] != "d" or len(levels) not in (6, 7):
        raise ProtocolError(f"topic: {topic!r} is not of this protocol")
    return _device_topic(topic, fleet, name(levels[4], "topic device"), levels[5:])


def _device_topic(topic: str, fleet: str, device: str, rest: list[str]) -> Topic:
    if len(rest) == 1 and rest[0] in _PLAIN:
        return Topic(fleet, rest[0], device)
    if len(rest) == 2 and rest[0] == "up" and rest[1] in STREAMS:
        return Topic(fleet, "up", device, rest[1])
    if len(rest) == 2 and rest[0] in _WITH_FUNCTION:
        return Topic(fleet, rest[0], device, name(rest[1], "topic function"))
    raise ProtocolError(f"topic: {topic!r} is not of this protocol")


def _user(value: str) -> str:
    return value if value == ENROL_USER else name(value, "topic user")


def _client(value: str) -> str:
    if not 0 < len(value) <= _CLIENT_LENGTH or not all(each == "-" or is_name(each) for each in value):
        raise ProtocolError(f"topic: {value[:40]!r} is no client id")
    return value
