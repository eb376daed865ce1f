"""A model whose inference takes several milliseconds: convolutions over a window, with random weights.

It decides nothing sensible; only what it costs to run is of interest.
"""

import itertools
import math
from pathlib import Path

import numpy
from onnx import TensorProto, helper, numpy_helper

WINDOW = 32
_CHANNELS = 256
_LAYERS = 12
_TAPS = 3
# The window, so often: the work grows by it, and the weights do not.
_REPEATS = 4
_MANIFEST = f"""\
name = "larger"
labels = ["absent", "present"]
[inputs]
lux = [1, {WINDOW}]
"""


def write(folder: Path) -> Path:
    """The model's files, in `folder`, which is made; gives the folder."""
    folder.mkdir()
    (folder / "model.toml").write_text(_MANIFEST)
    (folder / "model.onnx").write_bytes(_model())
    return folder


def _model() -> bytes:
    choice = numpy.random.default_rng(0)
    channels = [1, *[_CHANNELS] * _LAYERS]
    nodes = [
        helper.make_node("Reshape", ["lux", "shape"], ["window"]),
        helper.make_node("Tile", ["window", "repeats"], ["x0"]),
    ]
    weights = [
        helper.make_tensor("shape", TensorProto.INT64, [3], [1, 1, WINDOW]),
        helper.make_tensor("repeats", TensorProto.INT64, [3], [1, 1, _REPEATS]),
    ]
    for layer, (given, made) in enumerate(itertools.pairwise(channels)):
        weights.append(_random(choice, f"w{layer}", [made, given, _TAPS]))
        nodes.append(helper.make_node("Conv", [f"x{layer}", f"w{layer}"], [f"c{layer}"], pads=[1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{layer}"], [f"x{layer + 1}"]))
    weights.append(_random(choice, "w", [_CHANNELS, 2]))
    nodes += [
        helper.make_node("ReduceMean", [f"x{_LAYERS}"], ["mean"], axes=[2], keepdims=0),
        helper.make_node("MatMul", ["mean", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "larger",
        [helper.make_tensor_value_info("lux", TensorProto.FLOAT, [1, WINDOW])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def _random(choice: numpy.random.Generator, name: str, shape: list[int]):
    # He's initialisation keeps the values finite over all layers.
    values = choice.normal(0, math.sqrt(2 / math.prod(shape[1:])), shape)
    return numpy_helper.from_array(values.astype(numpy.float32), name)
