"""A trace: the events given to one release of a function, its reads meanwhile, and its decisions.

A file of JSON lines. The first is its Header; each further one is a `decision` or `failure` record as the board made
it (docs/protocol/records.md). It only reads and writes them.
"""

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from device.errors import BadArtifactError, NotFoundError
from device.event import Event
from device.protocol.cloudevents import MAX_HOPS
from device.protocol.errors import ProtocolError
from device.protocol.fields import integer, items, number, table, text

FORMAT = 1
Read = tuple[str, str, object]


@dataclass(frozen=True)
class Header:
    """Whose trace it is, and the function's settings then."""

    device: str
    function: str
    version: int
    config: Mapping[str, object]

    def line(self) -> str:
        """As the first line of a file."""
        fields = {"device": self.device, "function": self.function, "version": self.version, "config": self.config}
        return json.dumps({"trace": FORMAT, **fields})


@dataclass(frozen=True)
class Step:
    """One event and its outcome.

    `reads` are the handler's reads as (kind, name, value), in order: kinds are sensor, pin and state. With `error`, the
    handler failed, and `pins` and `result` mean nothing. `whole` is false when the event, or a value read, was too
    large to be recorded.
    """

    event: Event
    reads: tuple[Read, ...]
    pins: Mapping[str, bool]
    result: object
    error: str
    whole: bool


@dataclass(frozen=True)
class Trace:
    """A header and its steps, in the order of their happening."""

    header: Header
    steps: tuple[Step, ...]


def load(path: Path) -> Trace:
    """The trace in a file. Raises NotFoundError, or BadArtifactError naming the wrong line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise NotFoundError(f"The trace {path} cannot be read", str(error), "`lamplight record` makes one") from None
    readers = itertools.chain((header,), itertools.repeat(step))
    read: list[Any] = []
    try:
        for line, reader in zip(lines or [""], readers, strict=False):
            read.append(reader(json.loads(line)))
    except (ValueError, RecursionError) as error:
        raise BadArtifactError(f"{path} is no trace", f"line {len(read) + 1}: {error}", "Record it again") from None
    return Trace(read[0], tuple(read[1:]))


def write(file: TextIO, header: Header, records: Iterable[Mapping[str, object]]) -> None:
    """Write a trace of records, each as the board made it."""
    for line in (header.line(), *(json.dumps(record) for record in records)):
        file.write(f"{line}\n")


def header(value: object) -> Header:
    """The header in a decoded first line; raises ProtocolError."""
    fields = table(value, "trace")
    if fields.get("trace") != FORMAT:
        raise ProtocolError(f"trace: {fields.get('trace')!r}; this version reads format {FORMAT}")
    return Header(
        device=text(fields, "device", "trace"),
        function=text(fields, "function", "trace"),
        version=integer(fields, "version", "trace", 0, 2**53),
        config=table(fields.get("config"), "trace.config"),
    )


def step(value: object) -> Step:
    """The step in a decoded `decision` or `failure` record; raises ProtocolError."""
    fields = table(value, "record")
    event = table(fields.get("given"), "record.given")
    return Step(
        event=Event(
            id=text(fields, "event", "record"),
            source=text(event, "source", "record.given"),
            type=text(fields, "trigger", "record"),
            time=number(event, "time", "record.given"),
            data=event.get("data"),
            subject=text(event, "subject", "record.given", ""),
            hops=integer(event, "hops", "record.given", 0, MAX_HOPS) if "hops" in event else 0,
        ),
        reads=tuple(_read(each) for each in items(fields.get("reads") or [], "record.reads")),
        pins=cast("dict[str, bool]", table(fields.get("pins", {}), "record.pins")),
        result=fields.get("result"),
        error=text(fields, "error", "record", ""),
        whole="data" in event and fields.get("reads", []) is not None,
    )


def _read(value: object) -> Read:
    parts = items(value, "record.reads")
    if len(parts) != 3 or not isinstance(parts[0], str) or not isinstance(parts[1], str):
        raise ProtocolError("record.reads: expected [kind, name, value]")
    return parts[0], parts[1], parts[2]
