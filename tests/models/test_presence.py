"""The committed presence model: it is what train.py makes, as good as its card says, and right in everyday light."""

from collections import Counter

import numpy as np
import onnx
import pytest

from device.infer import files, golden
from models.presence import card, evaluate, network, scenarios, train

FRESH_SEED = 77
WINDOWS = 500


@pytest.fixture(scope="module")
def presence():
    return train.deployed(train.HERE)


@pytest.fixture(scope="module")
def stated():
    return card.stated((train.HERE / train.CARD).read_text())


def structure(model):
    tensors = [(t.name, t.data_type, tuple(t.dims)) for t in model.graph.initializer]
    nodes = [(n.op_type, tuple(n.input), tuple(n.output)) for n in model.graph.node]
    ends = [(e.name, e.type.SerializeToString()) for e in (*model.graph.input, *model.graph.output)]
    return nodes, tensors, ends, model.ir_version, [(o.domain, o.version) for o in model.opset_import]


def test_its_structure_is_what_training_makes(tmp_path):
    train.train(tmp_path, windows=20, epochs=2)
    assert structure(onnx.load(train.HERE / files.MODEL)) == structure(onnx.load(tmp_path / files.MODEL))
    assert (train.HERE / files.MANIFEST).read_text() == (tmp_path / files.MANIFEST).read_text()


def test_it_uses_plain_operations_only():
    model = onnx.load(train.HERE / files.MODEL)
    found = Counter(node.op_type for node in model.graph.node)
    assert found == {"Relu": 3, "Add": 1, "Log": 1, "ReduceMean": 1, "Sub": 1, "Concat": 1, "Gemm": 3, "Sigmoid": 1}
    assert model.opset_import[0].version == network.OPSET <= 17


@pytest.mark.parametrize(("column", "ranges"), [(0, scenarios.TRAINING), (1, scenarios.SHIFTED)])
def test_it_is_as_good_on_fresh_data_as_its_card_says(presence, stated, column, ranges):
    found = evaluate.measure(presence, evaluate.dataset(FRESH_SEED, WINDOWS, ranges))
    # Three standard deviations of a share of 0.95 in 7,000 windows are 0.008.
    for name in ("accuracy", "precision", "recall"):
        assert getattr(found, name) == pytest.approx(stated[name][column], abs=0.015), name
    assert found.roc_auc == pytest.approx(stated["ROC AUC"][column], abs=0.01)
    for name, share in found.by_scenario.items():
        assert share == pytest.approx(stated[name][column], abs=0.06), name


def test_its_golden_vectors_show_both_answers_and_the_edges():
    vectors = golden.parse(files.read(train.HERE, files.GOLDEN), files.read_manifest(train.HERE))
    answers = [vector.outputs["presence"][0][0] for vector in vectors]
    assert len(vectors) >= 12
    assert sum(a > 0.5 for a in answers) >= 3
    assert sum(a < 0.5 for a in answers) >= 3
    windows = [np.array(vector.inputs["lux"]) for vector in vectors]
    assert any(not window.any() for window in windows)
    assert any(window.min() >= 40_000 for window in windows)


@pytest.mark.parametrize("lux", [0, 0.1, 0.5, 1, 2, 5, 10, 50, 120, 400, 1_000, 5_000, 20_000, 40_000])
def test_constant_light_is_nobody(presence, lux):
    assert presence(np.full(32, float(lux))) < 0.1


@pytest.mark.parametrize("lux", [2, 10, 50, 120, 400, 1_000, 5_000, 20_000])
def test_a_covered_sensor_is_somebody_as_long_as_the_edge_is_in_the_window(presence, lux):
    light = np.concatenate([np.full(40, float(lux)), np.full(40, lux * 0.01)])
    for start in range(49):
        window = light[start : start + 32]
        edge_inside = window[0] != window[-1]
        assert (presence(window) >= 0.5) == edge_inside, f"{np.sum(window == lux)} bright readings"


def test_the_sensor_uncovered_again_within_the_window_is_somebody(presence):
    window = np.full(32, 400.0)
    window[12:18] = 4.0
    assert presence(window) > 0.9


@pytest.mark.parametrize(("before", "after"), [(60, 400), (4, 400), (400, 200), (400, 60), (0, 150)])
def test_a_lamp_being_switched_is_nobody(presence, before, after):
    for bright in range(3, 30):
        window = np.full(32, float(after))
        window[:bright] = before
        assert presence(window) < 0.5, f"{bright} readings before it"
