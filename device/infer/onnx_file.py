"""Looks into an ONNX file without loading it: is it one, and does it keep all its data to itself?

A tensor may place its values in another file, named by a path. A model from elsewhere could so have the board read any
file, so such tensors are forbidden. The device has no `onnx` package, so the protobuf wire format is walked here
(https://protobuf.dev/programming-guides/encoding); the field numbers are those of onnx.proto3, IR version 10. Only
messages on the way to a tensor are entered. Whether the graph makes sense is for onnxruntime to say.

Parsers of protobuf differ in odd fields: one drops the bits of a tag beyond 32, another refuses it. Any spelling that
some parser could read otherwise is refused here, and so are groups, which ONNX has none of.
"""

from collections.abc import Iterator

from device.errors import BadArtifactError
from device.infer import other_files

# For each message, the fields on the way to tensors, and the message in each.
_FIELDS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_IR_VERSION = 1
_GRAPH = 7
# TensorProto.external_data and TensorProto.data_location; a location of 0 is "in this file".
_EXTERNAL_DATA = 13
_DATA_LOCATION = 14

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# The most bytes of a number as a value; and of one as a tag or a length, with the bits that it may have.
_LONGEST = 10
_SHORT, _TAG_BITS, _LENGTH_BITS = 5, 32, 31


def check(data: bytes) -> None:
    """Raise BadArtifactError unless `data` is an ONNX model with all its tensors inside."""
    try:
        top = {number for number, _ in _fields(memoryview(data))}
        external = _has_external_data(memoryview(data))
    except ValueError as error:
        raise _not_onnx(str(error), data) from None
    if not {_IR_VERSION, _GRAPH} <= top:
        raise _not_onnx("it holds no graph", data)
    if external:
        raise BadArtifactError(
            "model.onnx refers to data in other files",
            "a model must hold all its weights itself, so that nothing else on the board can be read through it",
            "Save it with `onnx.save(model, 'model.onnx', save_as_external_data=False)`",
        )


def _not_onnx(why: str, data: bytes) -> BadArtifactError:
    if other := other_files.known(data):
        return BadArtifactError("model.onnx is not an ONNX model", f"it is {other.what}", other.remedy)
    return BadArtifactError(
        "model.onnx is not an ONNX model", why, "Export it again with your training tool's ONNX export"
    )


def _has_external_data(data: memoryview) -> bool:
    # A stack of our own: how deep graphs lie in one another is the sender's choice.
    waiting = [("model", data)]
    while waiting:
        message, content = waiting.pop()
        inner = _FIELDS[message]
        for number, value in _fields(content):
            if message == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)):
                return True
            if number in inner:
                if not isinstance(value, memoryview):
                    raise ValueError(f"field {number} of a {message} is no message")
                waiting.append((inner[number], value))
    return False


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(data):
        key, at = _short(data, at, _TAG_BITS)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError(f"the field before byte {at} has the number 0")
        if kind == _VARINT:
            value, at = _varint(data, at, _LONGEST)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _short(data, at, _LENGTH_BITS)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"byte {at} is no field of a protobuf message")
        if at + length > len(data):
            raise ValueError("it ends in the middle of a field")
        yield number, data[at : at + length]
        at += length


def _short(data: memoryview, at: int, bits: int) -> tuple[int, int]:
    """A tag or a length: parsers drop or refuse what lies beyond `bits`."""
    value, at = _varint(data, at, _SHORT)
    if value >> bits:
        raise ValueError(f"the number before byte {at} has more than {bits} bits")
    return value, at


def _varint(data: memoryview, at: int, longest: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 7 * longest, 7):
        if at >= len(data):
            raise ValueError("it ends in the middle of a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"the number before byte {at} has more than {longest} bytes")
