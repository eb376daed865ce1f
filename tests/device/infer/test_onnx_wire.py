"""The walk through an ONNX file agrees with protobuf: no spelling of a field hides a tensor's data from it."""

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st
from onnx import GraphProto, ModelProto, TensorProto, onnx_ml_pb2

from device.errors import BadArtifactError
from device.infer import onnx_file

VARINT, FIXED64, BYTES, GROUP, GROUP_END, FIXED32 = range(6)
EXTERNAL = "data in other files"
NOT_ONNX = "not an ONNX model"


def varint(number: int, length: int = 1) -> bytes:
    """`number` in at least `length` bytes: the further ones carry nothing."""
    out = bytearray()
    while number > 127 or len(out) + 1 < length:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes, beyond: int = 0, length: int = 1) -> bytes:
    return varint(number << 3 | BYTES | beyond, length) + varint(len(content)) + content


def model(tensor: bytes) -> bytes:
    return b"\x08\x08" + field(7, field(5, tensor))


def verdict(data: bytes) -> str:
    try:
        onnx_file.check(data)
    except BadArtifactError as error:
        return str(error)
    return ""


def external(message) -> bool:
    """Whether any tensor in protobuf's own reading of a message has data elsewhere."""
    if isinstance(message, TensorProto):
        return bool(message.external_data) or message.data_location != TensorProto.DEFAULT
    return any(
        external(each)
        for what, value in message.ListFields()
        if what.type == what.TYPE_MESSAGE
        for each in (value if what.is_repeated else [value])
    )


@pytest.mark.parametrize("bit", range(32, 64))
def test_a_tag_with_a_bit_that_protobuf_drops_is_refused(bit):
    assert NOT_ONNX in verdict(model(field(13, b"", beyond=1 << bit)))


@pytest.mark.parametrize("number", [1, 5, 7, 13, 20, 25])
def test_a_tag_beyond_32_bits_is_refused_at_every_depth(number):
    for data in (field(number, b"", beyond=1 << 32), model(b"")[:2] + field(7, field(number, b"", beyond=1 << 32))):
        assert NOT_ONNX in verdict(model(b"") + data)


@pytest.mark.parametrize("length", range(1, 6))
def test_a_tag_of_more_bytes_than_needed_is_read_as_protobuf_does(length):
    assert EXTERNAL in verdict(model(field(13, b"", length=length)))


@pytest.mark.parametrize(
    "odd",
    [
        field(13, b"", length=6),
        field(13, b"", length=10),
        field(0, b""),
        varint(13 << 3 | BYTES) + varint(0, 6),
        varint(13 << 3 | BYTES) + varint(1 << 31),
        varint(13 << 3 | BYTES) + varint(1 << 32),
        varint(9 << 3 | GROUP) + varint(9 << 3 | GROUP_END),
        varint(9 << 3 | GROUP_END),
        varint(9 << 3 | 6),
        varint(9 << 3 | 7),
        varint(9 << 3 | BYTES) + b"\x02a",
        varint(2 << 3 | VARINT) + b"\xff" * 10,
        varint(9 << 3 | FIXED64) + bytes(7),
        varint(9 << 3 | FIXED32) + bytes(3),
    ],
)
def test_a_field_that_protobuf_refuses_or_parsers_read_in_two_ways_is_refused(odd):
    assert NOT_ONNX in verdict(model(odd))


def test_every_way_to_a_tensor_in_the_schema_is_walked():
    """A later version of ONNX with tensors in a new place fails here."""
    ours = {
        "model": "ModelProto", "training": "TrainingInfoProto", "graph": "GraphProto", "function": "FunctionProto",
        "node": "NodeProto", "attribute": "AttributeProto", "sparse": "SparseTensorProto", "tensor": "TensorProto",
    }  # fmt: skip
    schema = onnx_ml_pb2.DESCRIPTOR.message_types_by_name
    for name, theirs in ours.items():
        walked = {number: ours[inner] for number, inner in onnx_file._FIELDS[name].items()}
        assert walked == {
            each.number: each.message_type.name
            for each in schema[theirs].fields
            if each.message_type is not None and leads_to_tensor(each.message_type, set())
        }


def leads_to_tensor(message: Descriptor, seen: set[str]) -> bool:
    if message.name == "TensorProto":
        return True
    if message.name in seen:
        return False
    seen.add(message.name)
    return any(each.message_type is not None and leads_to_tensor(each.message_type, seen) for each in message.fields)


# Numbers on the way to tensors, of tensors, unknown ones and impossible ones; and every kind of wire type.
numbers = st.sampled_from([*range(27), 1000, 2**29 - 1, 2**29, 2**29 + 13])
keys = st.builds(
    lambda number, kind, beyond, length: varint(number << 3 | kind | beyond, length),
    numbers,
    st.sampled_from(range(8)),
    st.sampled_from([0, 0, 0, 1 << 32, 1 << 35, 1 << 63]),
    st.integers(1, 11),
)
values = st.one_of(
    st.binary(max_size=12),
    st.builds(varint, st.sampled_from([0, 1, 2, 2**31, 2**32, 2**32 + 1, 2**63, 2**64]), st.integers(1, 11)),
)
odd = st.builds(lambda key, value: key + value, keys, values)
honest = st.builds(field, st.sampled_from([1, 4, 5, 8, 9, 13, 14, 20, 25]), st.binary(max_size=6))
tensors = st.lists(st.one_of(odd, honest), max_size=4).map(b"".join)
nested = st.recursive(
    tensors,
    lambda inner: st.builds(
        lambda number, length, content, more: field(number, content, length=length) + more,
        st.sampled_from([1, 2, 5, 6, 7, 10, 11, 15, 20, 22, 23, 25]),
        st.integers(1, 6),
        inner,
        tensors,
    ),
    max_leaves=6,
)
files = st.one_of(
    nested.map(lambda content: b"\x08\x08" + content),
    nested.map(lambda content: b"\x08\x08" + field(7, content)),
    tensors.map(model),
)


@given(files)
@example(model(field(13, b"", beyond=1 << 32)))
@example(model(varint(14 << 3 | VARINT) + varint(1 | 1 << 32)))
@example(model(b"") + field(7, field(5, field(13, b""))))
def test_a_file_that_passes_has_no_data_elsewhere_in_the_reading_of_protobuf(data):
    if verdict(data) == "":
        try:
            read = ModelProto.FromString(data)
        except DecodeError:
            return  # onnxruntime reads it with protobuf, and refuses it.
        assert not external(read)


@given(files)
def test_a_file_that_protobuf_reads_and_writes_again_gets_the_verdict_of_its_reading(data):
    try:
        read = ModelProto.FromString(data)
    except DecodeError:
        return
    read.DiscardUnknownFields()
    read.ir_version = 8
    read.graph.MergeFrom(GraphProto(name="g"))
    found = verdict(read.SerializeToString())
    assert EXTERNAL in found if external(read) else found == ""
