"""The network: how it is fitted, and how it becomes an ONNX graph of plain operations.

What it looks at is the shape of the light over the window and how bright it is: with x = ln(1 + lux), which is
defined in complete darkness, the 32 values x - mean(x), and mean(x). So doubling all light leaves the shape as it is,
and at a level of a few lux, where the sensor counts single digits, the network can be less sure.
The graph has only operations that a compiler to integer code can follow one by one.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from models.presence.light import READINGS, Array

HIDDEN = (64, 32)
OPSET = 17
# Of ONNX 1.12, which brought opset 17; a higher one would shut out older onnxruntimes for nothing.
IR_VERSION = 8


@dataclass(frozen=True)
class Layer:
    """One fully connected layer: `weights` [in, out] and `bias` [out]."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def features(lux: Array) -> Array:
    """What the network looks at, [windows, 33]; the graph computes the same."""
    level = np.log1p(np.maximum(lux, 0.0))
    mean = level.mean(axis=1, keepdims=True)
    return np.hstack([level - mean, mean])


def fit(lux: Array, present: NDArray[np.bool_], seed: int, epochs: int) -> list[Layer]:
    """The layers of a network trained on windows of lux, [windows, 32]; the same on every run on one machine.

    The last quarter of `epochs` takes steps a tenth as long, in larger batches, so that the end does not depend on
    the last few windows seen.
    """
    scaler = StandardScaler()
    # float32 halves the time; one thread, for sums in another order would give other weights.
    inputs = scaler.fit_transform(features(lux)).astype(np.float32)
    settling = max(1, epochs // 4)
    network = MLPClassifier(
        HIDDEN, random_state=seed, max_iter=epochs - settling, batch_size=min(256, len(inputs)), learning_rate_init=2e-3
    )
    network.set_params(warm_start=True, n_iter_no_change=epochs)
    with threadpool_limits(1), warnings.catch_warnings():
        # The number of epochs is chosen; that it ends there is no news.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(inputs, present)
        network.set_params(max_iter=settling, batch_size=min(1024, len(inputs)), learning_rate_init=2e-4).fit(
            inputs, present
        )
    return _layers(network, scaler)


def _layers(network: MLPClassifier, scaler: StandardScaler) -> list[Layer]:
    weights = [np.asarray(each, dtype=np.float64) for each in network.coefs_]
    biases = [np.asarray(each, dtype=np.float64) for each in network.intercepts_]
    # Standardising is linear, so it goes into the first layer and costs the board nothing.
    biases[0] = biases[0] - (scaler.mean_ / scaler.scale_) @ weights[0]
    weights[0] = weights[0] / scaler.scale_[:, None]
    return [Layer(w.astype(np.float32), b.astype(np.float32)) for w, b in zip(weights, biases, strict=True)]


def to_onnx(layers: list[Layer]) -> ModelProto:
    """The model with input `lux` [1, 32] in lux and output `presence` [1, 1], a probability."""
    nodes = [
        # A reading below zero does not exist; should one come, it is darkness and not NaN.
        helper.make_node("Relu", ["lux"], ["light"]),
        helper.make_node("Add", ["light", "one"], ["above_zero"]),
        helper.make_node("Log", ["above_zero"], ["level"]),
        helper.make_node("ReduceMean", ["level"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["level", "mean"], ["shape"]),
        helper.make_node("Concat", ["shape", "mean"], ["hidden_0"], axis=1),
    ]
    tensors = [numpy_helper.from_array(np.array(1.0, np.float32), "one")]
    last = len(layers)
    for number, layer in enumerate(layers, 1):
        names = [f"hidden_{number - 1}", f"weights_{number}", f"bias_{number}"]
        nodes.append(helper.make_node("Gemm", names, [f"sum_{number}"]))
        nodes.append(
            helper.make_node("Sigmoid", [f"sum_{number}"], ["presence"])
            if number == last
            else helper.make_node("Relu", [f"sum_{number}"], [f"hidden_{number}"])
        )
        tensors += [numpy_helper.from_array(layer.weights, names[1]), numpy_helper.from_array(layer.bias, names[2])]
    graph = helper.make_graph(
        nodes,
        "presence",
        [helper.make_tensor_value_info("lux", TensorProto.FLOAT, [1, READINGS])],
        [helper.make_tensor_value_info("presence", TensorProto.FLOAT, [1, 1])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    checker.check_model(model, full_check=True)
    return model
