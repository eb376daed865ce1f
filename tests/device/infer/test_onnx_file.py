"""External data is found wherever it hides, and what is no ONNX is told apart."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import SparseTensorProto, TensorProto, helper, numpy_helper

from device.errors import BadArtifactError
from device.infer import onnx_file

BOOL = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
FLOAT = helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 2])


def branch(node):
    return helper.make_graph([node], "branch", [], [FLOAT])


def in_initializer(make, tensor):
    return make.adding(tensor)


def in_node(make, tensor):
    return make.of([helper.make_node("Constant", [], ["y"], value=tensor)])


def in_list_of_tensors(make, tensor):
    return make.of([helper.make_node("Custom", ["x"], ["y"], tensors=[tensor])])


def in_branch(make, tensor):
    inner = branch(helper.make_node("Constant", [], ["z"], value=tensor))
    return make.of([helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)], inputs=[BOOL])


def in_sparse_values(make, tensor):
    model = make.doubling()
    model.graph.sparse_initializer.append(SparseTensorProto(values=tensor, dims=[1, 2]))
    return model


def in_sparse_attribute(make, tensor):
    sparse = SparseTensorProto(values=tensor, dims=[1, 2])
    return make.of([helper.make_node("Constant", [], ["y"], sparse_value=sparse)])


def in_function(make, tensor):
    model = make.doubling()
    node = helper.make_node("Constant", [], ["z"], value=tensor)
    model.functions.append(helper.make_function("local", "f", [], ["z"], [node], [helper.make_opsetid("", 17)]))
    return model


def in_training(make, tensor):
    model = make.doubling()
    model.training_info.add().algorithm.initializer.append(tensor)
    return model


PLACES = [
    in_initializer,
    in_node,
    in_list_of_tensors,
    in_branch,
    in_sparse_values,
    in_sparse_attribute,
    in_function,
    in_training,
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("location", ["../../../etc/shadow", "/etc/shadow", "weights.bin", "*/_ORT_MEM_ADDR_/*"])
def test_external_data_is_found_wherever_it_hides(make, place, location):
    with pytest.raises(BadArtifactError, match="data in other files"):
        onnx_file.check(place(make, make.external(location)).SerializeToString())


@pytest.mark.parametrize("place", PLACES)
def test_data_in_the_file_itself_passes(make, place):
    onnx_file.check(place(make, numpy_helper.from_array(np.ones((1, 2), np.float32), "w")).SerializeToString())


def test_a_location_alone_or_a_path_alone_is_enough_to_be_refused(make):
    only_location = TensorProto(name="w", data_type=1, dims=[1, 2], data_location=TensorProto.EXTERNAL)
    only_path = make.external("weights.bin")
    only_path.ClearField("data_location")
    for tensor in (only_location, only_path):
        with pytest.raises(BadArtifactError, match="data in other files"):
            onnx_file.check(make.adding(tensor).SerializeToString())


def test_a_second_graph_that_protobuf_would_merge_into_the_first_is_searched_too(make):
    hidden = make.adding(make.external("/etc/shadow")).SerializeToString()
    with pytest.raises(BadArtifactError, match="data in other files"):
        onnx_file.check(make.doubling().SerializeToString() + hidden)


def test_graphs_nested_a_thousand_deep_do_not_exhaust_the_stack(make):
    # By hand: the protobuf library writes no message so deep. Graph > node (1) > attribute (5) > graph (6) > …
    data = b""
    for _ in range(1000):
        for field in (6, 5, 1):
            data = bytes([field << 3 | 2]) + varint(len(data)) + data
    onnx_file.check(b"\x08\x08" + bytes([7 << 3 | 2]) + varint(len(data)) + data)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


@pytest.mark.parametrize(
    "data", [b"", b"not a model", b"\x7fELF" + bytes(100), b"PK\x03\x04" + bytes(100), b"\x08\x08", b"\xff" * 20]
)
def test_what_is_no_onnx_is_refused(data):
    with pytest.raises(BadArtifactError, match="not an ONNX model"):
        onnx_file.check(data)


def test_a_model_cut_off_anywhere_is_refused(presence):
    data = (presence / "model.onnx").read_bytes()
    for length in range(0, len(data) - 10, 97):
        with pytest.raises(BadArtifactError, match="not an ONNX model"):
            onnx_file.check(data[:length])


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_the_one_error(data):
    with contextlib.suppress(BadArtifactError):
        onnx_file.check(data)


def test_the_committed_model_passes(presence):
    onnx_file.check((presence / "model.onnx").read_bytes())
