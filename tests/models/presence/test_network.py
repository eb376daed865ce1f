"""From windows to an ONNX graph: the graph computes what was fitted, also at the edges."""

from itertools import pairwise

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from models.presence import network


def layers(seed=1):
    rng = np.random.default_rng(seed)
    sizes = (33, *network.HIDDEN, 1)
    return [
        network.Layer(rng.normal(0, 0.3, (a, b)).astype(np.float32), rng.normal(0, 0.3, b).astype(np.float32))
        for a, b in pairwise(sizes)
    ]


def by_hand(parts, lux):
    value = network.features(lux)
    for layer in parts[:-1]:
        value = np.maximum(value @ layer.weights + layer.bias, 0)
    return 1 / (1 + np.exp(-(value @ parts[-1].weights + parts[-1].bias)))


@pytest.mark.parametrize("lux", [np.zeros(32), np.full(32, 60_000.0), np.linspace(0, 500, 32), np.full(32, -1.0)])
def test_the_graph_computes_what_the_layers_say(lux):
    parts = layers()
    (found,) = ReferenceEvaluator(network.to_onnx(parts)).run(None, {"lux": lux.astype(np.float32).reshape(1, 32)})
    assert found == pytest.approx(by_hand(parts, lux.reshape(1, 32)), abs=1e-5)


def test_twice_the_light_has_the_same_shape():
    window = np.random.default_rng(2).uniform(5_000, 10_000, (1, 32))
    assert network.features(2 * window)[:, :32] == pytest.approx(network.features(window)[:, :32], abs=1e-3)


def test_fitting_learns_what_can_be_told_apart():
    rng = np.random.default_rng(3)
    still = np.repeat(rng.uniform(10, 1000, (200, 1)), 32, axis=1)
    dipped = still.copy()
    dipped[:, 10:20] *= 0.3
    present = np.repeat([False, True], 200)
    fitted = network.fit(np.vstack([still, dipped]), present, seed=1, epochs=40)
    assert np.mean((by_hand(fitted, np.vstack([still, dipped]))[:, 0] > 0.5) == present) > 0.95
