"""The messages between agent and worker, as values; channel.py carries them.

Agent to worker: an Assignment, then `GO`, then one event at a time, `STOP` at the end. Worker to agent: READY when the
handler is imported, RUNNING after `GO` when the hardware is open, a Result or Failure for each event; a Log, a Publish
or a Drives at any time. An event that `streams` may be answered in Parts before its Result: the agent replies to each
with `MORE` or `ENOUGH`. A worker may be hostile: each of its messages is checked here field by field.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from device.event import Event
from device.protocol.errors import ProtocolError
from device.protocol.fields import flag, integer, text
from device.runtime.wire.channel import MAX_PACKET, encode

GO: dict[str, object] = {"do": "go"}
STOP: dict[str, object] = {"do": "stop"}
MORE: dict[str, object] = {"do": "more"}
ENOUGH: dict[str, object] = {"do": "enough"}
READY: dict[str, object] = {"is": "ready"}
RUNNING: dict[str, object] = {"is": "running"}
STOPPED: dict[str, object] = {"is": "stopped"}

# Room for the addition of with_deadline.
_DEADLINE_ROOM = 64
# Of a model within one event: far more than there is time for.
_MOST_RUNS = 10**9
LEVELS = ("debug", "info", "warning", "error")
# Kinds of failure: the handler raised, the memory limit was met, its return value is beyond JSON, it could not be
# imported, a model could not be loaded, its state could not be migrated, or its hardware could not be opened.
KINDS = ("exception", "memory", "result", "import", "model", "state", "hardware")


@dataclass(frozen=True)
class Assignment:
    """Everything a worker needs to become one function.

    `path` is the bundle's folder, `scratch` the worker's own, with room for `scratch_size` bytes; `memory` is in bytes
    above the bare worker; `processes` counts threads too; `outputs` and `inputs` are leased pins; `folders` are the
    watched folders of its file triggers; `models` maps a name to the folder of the model. `states` is the folder of its
    durable state, with one folder a schema and at most `state_size` bytes in each; `migrate` is a module and its
    function, or two empty texts. `layer` is the folder of its dependencies, or empty. `facts` are those of
    clouds/facts.py: its runtime, and its variables.
    """

    function: str
    version: int
    path: str
    scratch: str
    module: str
    attribute: str
    memory: int
    scratch_size: int
    processes: int
    network: bool
    outputs: list[str]
    inputs: list[str]
    sensors: list[str]
    buses: list[str]
    folders: list[str]
    models: dict[str, str]
    states: str
    schema: int
    state_size: int
    migrate: list[str]
    layer: str
    config: dict[str, object]
    facts: dict[str, object]

    def message(self) -> dict[str, object]:
        """As sent."""
        return {"do": "become", **asdict(self)}


def assignment(message: dict[str, object]) -> Assignment:
    """The assignment in a message from the trusted agent."""
    fields = {key: value for key, value in message.items() if key != "do"}
    return Assignment(**fields)  # pyright: ignore[reportArgumentType]


def event_packet(
    id: str,
    source: str,
    type: str,
    time: float,
    data: object,
    subject: str = "",
    hops: int = 0,
    marks: Mapping[str, bool] | None = None,
) -> bytes:
    """An event as a packet, still to be completed by its deadline: encoded once, by the thread that brings the event.

    `marks` has "streams" when its caller takes Parts, "attached" when attachment.py sends more of its data.

    Raises ValueError, TypeError or RecursionError for data beyond JSON.
    """
    said = {"do": "handle", "id": id, "source": source, "type": type, "time": time, "data": data, "subject": subject}
    if hops:
        said["hops"] = hops
    if marks:
        said.update(marks)
    packet = encode(said)
    if len(packet) > MAX_PACKET - _DEADLINE_ROOM:
        raise ProtocolError(f"{len(packet)} bytes as JSON; at most {MAX_PACKET - _DEADLINE_ROOM}")
    return packet


def event(message: dict[str, Any]) -> tuple[Event, float]:
    """The event in a message from the trusted agent, and its deadline."""
    # Written out, for it is on the path of every event.
    m = message
    return Event(m["id"], m["source"], m["type"], m["time"], m["data"], m["subject"], m.get("hops", 0)), m["deadline"]


def with_deadline(packet: bytes, deadline: float) -> bytes:
    """The packet of `event_packet` with its `deadline`, in seconds of the system-wide monotonic clock."""
    return b'%b,"deadline":%r}' % (packet[:-1], deadline)


@dataclass(frozen=True)
class Ready:
    """The handler is imported, the models are loaded."""


@dataclass(frozen=True)
class Running:
    """The hardware is open; events are taken."""


@dataclass(frozen=True)
class Stopped:
    """The hardware is closed; the worker leaves."""


class Result(NamedTuple):
    """The handler's return value, the levels of its outputs after it, and its time in milliseconds.

    `reads` are the values it read meanwhile (reads.py); None when they were too many. It ran its models `runs` times,
    `slow` of these longer than their budget.
    """

    value: object
    pins: dict[str, bool]
    ms: float
    reads: Sequence[object] | None = ()
    runs: int = 0
    slow: int = 0

    def message(self) -> dict[str, object]:
        """As sent."""
        said = {"is": "result", "value": self.value, "pins": self.pins, "ms": self.ms, "reads": self.reads}
        return {**said, "runs": self.runs, "slow": self.slow} if self.runs else said


@dataclass(frozen=True)
class Failure:
    """A failure: one of KINDS, a text for a person, and the values read by the handler before it."""

    kind: str
    text: str
    reads: Sequence[object] | None = ()

    def message(self) -> dict[str, object]:
        """As sent."""
        return {"is": "failure", "kind": self.kind, "text": self.text, "reads": self.reads}


@dataclass(frozen=True)
class Log:
    """A line of the function's log."""

    level: str
    text: str

    def message(self) -> dict[str, object]:
        """As sent."""
        return {"is": "log", "level": self.level, "text": self.text}


@dataclass(frozen=True)
class Publish:
    """A message sent by the function with context.publish."""

    topic: str
    data: object

    def message(self) -> dict[str, object]:
        """As sent."""
        return {"is": "publish", "topic": self.topic, "data": self.data}


@dataclass(frozen=True)
class Drives:
    """The level of a leased output from now on."""

    pin: str
    level: bool

    def message(self) -> dict[str, object]:
        """As sent."""
        return {"is": "drives", "pin": self.pin, "level": self.level}


@dataclass(frozen=True)
class Part:
    """A part of an answer that streams."""

    value: object

    def message(self) -> dict[str, object]:
        """As sent."""
        return {"is": "part", "value": self.value}


Said = Ready | Running | Stopped | Result | Failure | Log | Publish | Drives | Part


def said(message: dict[str, object]) -> Said:
    """A worker's message as a value; raises ProtocolError naming its fault."""
    kind = message.get("is")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise ProtocolError(f"message.is: {str(kind)[:40]!r} is unknown")
    return reader(message)


def _result(message: dict[str, object]) -> Result:
    # Written out, for it is on the path of every event.
    pins, ms = message.get("pins"), message.get("ms")
    if not isinstance(pins, dict):
        raise ProtocolError("result.pins: expected a table")
    for level in pins.values():  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(level, bool):
            raise ProtocolError("result.pins: a level must be true or false")
    if not isinstance(ms, (int, float)) or isinstance(ms, bool) or not 0 <= ms <= 1e12:
        raise ProtocolError("result.ms: is no duration")
    runs, slow = _runs(message) if "runs" in message else (0, 0)
    return Result(message.get("value"), pins, float(ms), _reads(message), runs, slow)  # pyright: ignore[reportUnknownArgumentType]


def _runs(message: dict[str, object]) -> tuple[int, int]:
    runs = integer(message, "runs", "result", 0, _MOST_RUNS)
    return runs, integer(message, "slow", "result", 0, runs)


def _reads(message: dict[str, object]) -> Sequence[object] | None:
    reads = message.get("reads")
    if not isinstance(reads, (list, tuple, type(None))):
        raise ProtocolError("reads: expected a list")
    return reads  # pyright: ignore[reportUnknownVariableType]


def _one_of(message: dict[str, object], key: str, known: tuple[str, ...]) -> str:
    value = text(message, key, "message")
    if value not in known:
        raise ProtocolError(f"message.{key}: {value[:40]!r} is unknown")
    return value


_READERS: dict[str, Callable[[dict[str, object]], Said]] = {
    "ready": lambda _: Ready(),
    "running": lambda _: Running(),
    "stopped": lambda _: Stopped(),
    "result": _result,
    "failure": lambda m: Failure(_one_of(m, "kind", KINDS), text(m, "text", "failure"), _reads(m)),
    "log": lambda m: Log(_one_of(m, "level", LEVELS), text(m, "text", "log")),
    "publish": lambda m: Publish(text(m, "topic", "publish"), m.get("data")),
    "drives": lambda m: Drives(text(m, "pin", "drives"), flag(m, "level", "drives")),
    "part": lambda m: Part(m.get("value")),
}
