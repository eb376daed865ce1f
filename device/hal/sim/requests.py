"""The requests of a client of the simulated hardware, and the answers: one line of JSON each.

    {"op": "transfer", "bus": 1, "address": 57, "write": "8c", "read": 2}   → {"data": "1f00"}; "write" may be absent
    {"op": "bus", "number": 1}                                              → {"present": true}
    {"op": "request", "lines": [17]} · {"op": "release"}                    → {}
    {"op": "configure", "line": 17, "direction": "output", "bias": "disabled", "value": true} → {}
    {"op": "drive", "line": 17, "value": true}                              → {}
    {"op": "read", "line": 17}                                              → {"value": true}
    {"op": "edges", "line": 27, "after": 3}  → {"count": 5, "edges": [{"at", "direction", "level"}, …]}
    {"op": "state"}                       → {"lux", "covered", "unplugged", "pins": {name: level}}
    {"op": "surround", "lux": 5.0}        → the same; any of lux, covered, unplugged
    {"op": "wire", "pin": "button", "level": false}                         → {}; null is an open contact
    {"op": "history", "pin": "led"}       → {"changes": [{"at", "direction", "level"}, …]}

A request refused by the hardware, or a senseless one, is answered with {"errno": n, "error": text}. Lines belong to the
connection requesting them. It does no I/O.
"""

import errno
import json
from collections.abc import Callable
from dataclasses import asdict

from device.hal.sim.parts.assembly import BRIGHTEST_LUX, Assembly, Surroundings
from device.hal.sim.parts.gpio import BIASES, DIRECTIONS
from device.protocol.errors import ProtocolError
from device.protocol.fields import flag, integer, items, number, only, table, text

WHERE = "request"
MOST_BYTES = 8192  # of one I2C transaction: the limit of Linux' i2c-dev
Fields = dict[str, object]
Handler = Callable[[Assembly, object, Fields], Fields]


def answer(assembly: Assembly, owner: object, line: bytes) -> bytes:
    """Perform one request on behalf of `owner` and give the line to send back. Never raises."""
    try:
        result = _perform(assembly, owner, line)
    except OSError as error:
        result = {"errno": error.errno, "error": error.strerror}
    except (ProtocolError, ValueError, RecursionError) as error:
        result = {"errno": errno.EINVAL, "error": str(error)}
    return json.dumps(result).encode() + b"\n"


def _perform(assembly: Assembly, owner: object, line: bytes) -> Fields:
    fields = table(json.loads(line), WHERE)
    op = text(fields, "op", WHERE)
    if op not in HANDLERS:
        raise ProtocolError(f"{WHERE}.op: unknown {op!r}; known are {', '.join(sorted(HANDLERS))}")
    handler, known = HANDLERS[op]
    only(fields, ("op", *known), WHERE)
    return handler(assembly, owner, fields)


def _transfer(assembly: Assembly, _owner: object, fields: Fields) -> Fields:
    data = bytes.fromhex(text(fields, "write", WHERE)) if "write" in fields else None
    if data is not None and len(data) > MOST_BYTES:
        raise ProtocolError(f"{WHERE}.write: more than {MOST_BYTES} bytes")
    bus = integer(fields, "bus", WHERE, 0, 255)
    address = integer(fields, "address", WHERE, 0, 0x7F)
    return {"data": assembly.transfer(bus, address, data, integer(fields, "read", WHERE, 0, MOST_BYTES, 0)).hex()}


def _bus(assembly: Assembly, _owner: object, fields: Fields) -> Fields:
    return {"present": assembly.has_bus(integer(fields, "number", WHERE, 0, 255))}


def _request(assembly: Assembly, owner: object, fields: Fields) -> Fields:
    lines = [_line({"line": each}) for each in items(fields.get("lines"), f"{WHERE}.lines")]
    assembly.gpio.request(lines, owner)
    return {}


def _release(assembly: Assembly, owner: object, _fields: Fields) -> Fields:
    assembly.gpio.release(owner)
    return {}


def _configure(assembly: Assembly, owner: object, fields: Fields) -> Fields:
    direction = _one_of(fields, "direction", DIRECTIONS)
    bias = _one_of(fields, "bias", BIASES)
    assembly.gpio.configure(_line(fields), owner, direction, bias, flag(fields, "value", WHERE, False))
    return {}


def _drive(assembly: Assembly, owner: object, fields: Fields) -> Fields:
    assembly.gpio.drive(_line(fields), owner, flag(fields, "value", WHERE))
    return {}


def _read(assembly: Assembly, owner: object, fields: Fields) -> Fields:
    return {"value": assembly.gpio.read(_line(fields), owner)}


def _edges(assembly: Assembly, owner: object, fields: Fields) -> Fields:
    after = integer(fields, "after", WHERE, 0, 1 << 62) if "after" in fields else None
    count, edges = assembly.gpio.edges(_line(fields), owner, after)
    return {"count": count, "edges": [asdict(each) for each in edges]}


def _state(assembly: Assembly, _owner: object, _fields: Fields) -> Fields:
    return {**asdict(assembly.surroundings), "pins": assembly.levels()}


def _surround(assembly: Assembly, owner: object, fields: Fields) -> Fields:
    now = assembly.surroundings
    lux = number(fields, "lux", WHERE, now.lux)
    if not 0 <= lux <= BRIGHTEST_LUX:
        raise ProtocolError(f"{WHERE}.lux: {lux} is not between 0 and {BRIGHTEST_LUX:.0f}")
    covered = flag(fields, "covered", WHERE, now.covered)
    assembly.surround(Surroundings(float(lux), covered, flag(fields, "unplugged", WHERE, now.unplugged)))
    return _state(assembly, owner, fields)


def _wire(assembly: Assembly, _owner: object, fields: Fields) -> Fields:
    level = None if fields.get("level") is None else flag(fields, "level", WHERE)
    assembly.gpio.wire(_pin(assembly, fields), level)
    return {}


def _history(assembly: Assembly, _owner: object, fields: Fields) -> Fields:
    return {"changes": [asdict(change) for change in assembly.gpio.history(_pin(assembly, fields))]}


def _line(fields: Fields) -> int:
    return integer(fields, "line", WHERE, 0, 1023)


def _pin(assembly: Assembly, fields: Fields) -> int:
    pin = text(fields, "pin", WHERE)
    if pin not in assembly.board.pins:
        raise ProtocolError(f"{WHERE}.pin: no pin {pin!r}; the board has {', '.join(assembly.board.pins)}")
    return assembly.board.pins[pin].line


def _one_of(fields: Fields, key: str, known: tuple[str, ...]) -> str:
    value = text(fields, key, WHERE, known[0])
    if value not in known:
        raise ProtocolError(f"{WHERE}.{key}: {value!r} is none of {', '.join(known)}")
    return value


HANDLERS: dict[str, tuple[Handler, tuple[str, ...]]] = {
    "transfer": (_transfer, ("bus", "address", "write", "read")),
    "bus": (_bus, ("number",)),
    "request": (_request, ("lines",)),
    "release": (_release, ()),
    "configure": (_configure, ("line", "direction", "bias", "value")),
    "drive": (_drive, ("line", "value")),
    "read": (_read, ("line",)),
    "edges": (_edges, ("line", "after")),
    "state": (_state, ()),
    "surround": (_surround, ("lux", "covered", "unplugged")),
    "wire": (_wire, ("pin", "level")),
    "history": (_history, ("pin",)),
}
