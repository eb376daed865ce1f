"""Golden vectors: what is refused, and how outputs are compared."""

import json
import math

import pytest

from device.errors import BadArtifactError
from device.infer import golden
from device.protocol import model_manifest
from device.protocol.model_manifest import Tolerance

MODEL = model_manifest.model({"name": "double", "inputs": {"x": [1, 2]}})


def vector(inputs=None, outputs=None):
    return {"inputs": inputs or {"x": [[1, 2]]}, "outputs": outputs or {"y": [[2, 4]]}}


def parse(*vectors):
    return golden.parse(json.dumps({"vectors": vectors}).encode(), MODEL)


def test_vectors_come_back_in_order():
    assert [v.outputs["y"] for v in parse(vector(), vector(outputs={"y": [[1.5, 0]]}))] == [[[2, 4]], [[1.5, 0]]]


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (vector(inputs={"z": [[1, 2]]}), r"names \['z'\]; model.toml has \['x'\]"),
        (vector(inputs={"x": [[1, 2, 3]]}), "shape"),
        (vector(inputs={"x": [[1], [2, 3]]}), "rows differ"),
        (vector(inputs={"x": [[None, 2]]}), "x holds something else than numbers and texts"),
        (vector(outputs={"y": [[2, None]]}), "y holds something else than numbers and texts"),
        (vector(inputs={"x": 1}), "shape"),
        (vector(inputs={"x": None}), "x holds something else"),
        (vector(inputs={"x": "12"}), "shape"),
        (vector(outputs={"y": [[2], [4, 5]]}), "rows differ"),
        (vector(outputs={"y": [[math.nan, 4]]}), "NaN"),
        (vector(outputs={"y": [[math.inf, 4]]}), "NaN or infinity"),
        ({"inputs": {"x": [[1, 2]]}, "outputs": {}}, "names no output"),
        ({**vector(), "tolerance": 100}, "unknown key"),
        ([], "expected a table"),
    ],
)
def test_a_vector_that_does_not_fit_is_refused(attack, message):
    with pytest.raises(BadArtifactError, match=message):
        parse(attack)


def test_a_scalar_output_is_a_plain_number():
    assert parse(vector(outputs={"y": 2}))[0].outputs == {"y": 2}


def test_no_vectors_at_all_are_refused():
    with pytest.raises(BadArtifactError, match="no vectors"):
        parse()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"vectors": 1}', b"[" * 100_000])
def test_what_is_no_document_of_vectors_is_refused(data):
    with pytest.raises(BadArtifactError, match=r"golden\.json cannot be used"):
        golden.parse(data, MODEL)


LOOSE = Tolerance(absolute=0.1, relative=0.01)


@pytest.mark.parametrize("found", [[[1.0, 200.0]], [[1.05, 200.0]], [[1.0, 202.0]], [[0.95, 198.0]]])
def test_a_number_within_one_of_the_tolerances_is_the_golden_one(found):
    assert golden.fault([[1.0, 200.0]], found, LOOSE) == ""


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([[1.2, 200.0]], "differs by 0.2, more than the tolerance of 0.1"),
        ([[1.0, 203.0]], "differs by 3"),
        ([[1.5, 205.0]], "differs by 5"),
        ([[1.0, math.nan]], "differs by inf"),
        ([[math.nan, 200.0]], "differs by inf"),
        ([[1.0, math.inf]], "differs by inf"),
        ([[1.0, "200"]], "is '200' in place of 200"),
        ([1.0, 200.0], r"has shape [2] in place of [1, 2]"),
        ([[1.0]], r"has shape [1, 1] in place of [1, 2]"),
    ],
)
def test_another_output_is_told_with_what_differs(found, why):
    assert golden.fault([[1.0, 200.0]], found, LOOSE).startswith(why)


def test_texts_are_compared_as_such():
    assert golden.fault(["cat", "dog"], ["cat", "dog"], LOOSE) == ""
    assert golden.fault(["cat"], ["dog"], LOOSE) == "is 'dog' in place of 'cat'"


def test_the_place_of_the_highest_number_is_what_labels_go_by():
    assert golden.same_place({"y": [[0.1, 0.7, 0.2]]}, {"y": [[0.3, 0.4, 0.3]]})
    assert not golden.same_place({"y": [[0.1, 0.7, 0.2]]}, {"y": [[0.5, 0.4, 0.1]]})


def test_a_free_size_and_an_input_of_any_shape_take_vectors_of_all_sizes():
    free = model_manifest.model({"name": "m", "inputs": {"x": [1, "n"], "z": "any"}})
    given = [{"inputs": {"x": [[1] * n], "z": [[["a"]]]}, "outputs": {"y": 1}} for n in (1, 5)]
    assert len(golden.parse(json.dumps({"vectors": given}).encode(), free)) == 2
    given[0]["inputs"]["x"] = [[1], [2]]
    with pytest.raises(BadArtifactError, match=r"shape \[2, 1\]; model.toml says \[1, 'n'\]"):
        golden.parse(json.dumps({"vectors": given}).encode(), free)


def test_an_input_that_is_a_state_is_no_part_of_a_vector():
    stateful = model_manifest.model({"name": "m", "inputs": {"x": [1], "h": [2]}, "state": {"h": "hn"}})
    assert golden.parse(json.dumps({"vectors": [{"inputs": {"x": [1]}, "outputs": {"y": 1}}]}).encode(), stateful)
