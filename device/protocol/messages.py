"""The bodies of the messages: JSON objects, encoded and decoded here and nowhere else.

`desired` is elsewhere: its parts are signed, and read by trust/rules.py. A decoder raises ProtocolError and its caller
drops the message; a decoder never guesses.
"""

import json

from .errors import ProtocolError
from .fields import MAX_DEPTH, flag, integer, items, number, only, plain, sha256, table, text

MAX_MESSAGE = 1024 * 1024
MAX_WANT = 64
MAX_TYPE = 100
MAX_HARDWARE = 128
_LATEST = 253_370_764_799  # the end of the year 9998, in seconds since 1970
# The type of an event sent by a call, unless the caller says another.
CALL = "lamplight.call"
# The type of an http trigger's events.
HTTP_REQUEST = "lamplight.http.request"


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def encode(body: dict[str, object]) -> bytes:
    """`body` as compact JSON; NaN and infinities are refused, for other languages cannot read them."""
    return _ENCODER.encode(body).encode()


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if value - value != 0:
        raise ValueError(f"{digits[:40]} is out of range")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


def decode(payload: bytes, what: str) -> dict[str, object]:
    """The JSON object in `payload`; raises ProtocolError for anything else or more than MAX_MESSAGE bytes."""
    if len(payload) > MAX_MESSAGE:
        raise ProtocolError(f"{what}: {len(payload)} bytes; at most {MAX_MESSAGE}")
    try:
        written = payload.decode()
        fields = table(_DECODER.decode(written), what)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ProtocolError):
            raise
        raise ProtocolError(f"{what}: is not JSON: {error}") from None
    if not _surely_plain(written):
        plain(fields, what)
    return fields


def _surely_plain(written: str) -> bool:
    """Whether `plain` is sure to pass the decoded text: far cheaper than looking at every value."""
    shallow = written.count("[") + written.count("{") <= MAX_DEPTH
    return shallow and "\\u" not in written


class Presence:
    """Whether a device is connected. `session` counts its connections, so a late will is recognised.

    `time` is the device's clock, in seconds since 1970, and `hardware` names the board behind it: see
    docs/protocol/connection.md. Agents before 0.2.0 say neither.
    """

    def __init__(self, online: bool, session: int, time: "float | None" = None, hardware: str = "") -> None:
        self.online = online
        self.session = session
        self.time = time
        self.hardware = hardware

    def encode(self) -> bytes:
        """The body."""
        fields: dict[str, object] = {"online": self.online, "session": self.session}
        if self.time is not None:
            fields["time"] = self.time
        if self.hardware:
            fields["hardware"] = self.hardware
        return encode(fields)


def presence(payload: bytes) -> Presence:
    """The presence in `payload`."""
    fields = decode(payload, "presence")
    # A board's clock may say anything, and its presence counts all the same.
    time = min(max(number(fields, "time", "presence"), 0), _LATEST) if "time" in fields else None
    hardware = text(fields, "hardware", "presence", "")
    if len(hardware) > MAX_HARDWARE or any(not " " < each <= "~" for each in hardware):
        raise ProtocolError(f"presence.hardware: expected at most {MAX_HARDWARE} printable ASCII characters")
    session = integer(fields, "session", "presence", 0, 2**53)
    return Presence(flag(fields, "online", "presence"), session, time, hardware)


class Batch:
    """Records of one stream from the device's outbox, in order.

    `boot` names the agent's run they come from; each record is a table with at least `seq` (counts up within a boot,
    over all streams) and `time` (seconds since 1970 by the device's clock). (boot, seq) identifies a record for ever: a
    receiver keeps the first and drops the rest.
    """

    def __init__(self, boot: str, records: list[dict[str, object]]) -> None:
        self.boot = boot
        self.records = records

    def encode(self) -> bytes:
        """The body."""
        return encode({"boot": self.boot, "records": self.records})


def batch(payload: bytes) -> Batch:
    """The batch in `payload`."""
    fields = decode(payload, "batch")
    only(fields, ("boot", "records"), "batch")
    records = [table(each, "batch.records") for each in items(fields.get("records"), "batch.records")]
    for record in records:
        integer(record, "seq", "batch.records", 0, 2**53)
        number(record, "time", "batch.records")
    return Batch(text(fields, "boot", "batch"), records)


class Ack:
    """The shim holds every record of `stream` up to and including (boot, seq) in its database."""

    def __init__(self, stream: str, boot: str, seq: int) -> None:
        self.stream = stream
        self.boot = boot
        self.seq = seq

    def encode(self) -> bytes:
        """The body."""
        return encode({"stream": self.stream, "boot": self.boot, "seq": self.seq})


def ack(payload: bytes) -> Ack:
    """The acknowledgement in `payload`."""
    fields = decode(payload, "ack")
    return Ack(text(fields, "stream", "ack"), text(fields, "boot", "ack"), integer(fields, "seq", "ack", 0, 2**53))


def encode_want(digests: list[str]) -> bytes:
    """A request for missing chunks."""
    return encode({"chunks": digests[:MAX_WANT]})


def want(payload: bytes) -> list[str]:
    """The digests a device asks for, at most MAX_WANT."""
    digests = items(decode(payload, "want").get("chunks"), "want.chunks")
    if len(digests) > MAX_WANT:
        raise ProtocolError(f"want.chunks: {len(digests)} digests; at most {MAX_WANT}")
    return [sha256(each, "want.chunks") for each in digests]


class Call:
    """A call of a function from the cloud: an event of this `type` with this `data`. `id` comes back in the reply."""

    def __init__(self, id: str, data: object, type: str = CALL) -> None:
        self.id = id
        self.data = data
        self.type = type

    def encode(self) -> bytes:
        """The body."""
        return encode({"id": self.id, "data": self.data, "type": self.type})


def call(payload: bytes) -> Call:
    """The call in `payload`."""
    fields = decode(payload, "call")
    return Call(text(fields, "id", "call"), fields.get("data"), event_type(text(fields, "type", "call", CALL)))


def event_type(value: str) -> str:
    """`value` as the type of an event, such as "lamplight.sensor.reading"; raises ProtocolError for any other value."""
    if not 0 < len(value) <= MAX_TYPE or not all(c.isascii() and (c.isalnum() or c in "._-/") for c in value):
        raise ProtocolError(f"call.type: {value[:40]!r} is not a type; write one such as '{CALL}'")
    return value


class Reply:
    """The answer to a call: the handler's `result`, or the failure in `error` ("" for a success)."""

    def __init__(self, id: str, result: object, error: str) -> None:
        self.id = id
        self.result = result
        self.error = error

    def encode(self) -> bytes:
        """The body."""
        return encode({"id": self.id, "result": self.result, "error": self.error})


def reply(payload: bytes) -> Reply:
    """The reply in `payload`."""
    fields = decode(payload, "reply")
    return Reply(text(fields, "id", "reply"), fields.get("result"), text(fields, "error", "reply", ""))
