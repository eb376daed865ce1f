"""Golden vectors: what is refused, and how outputs are compared."""

import json
import math

import pytest

from device.errors import BadArtifactError
from device.infer import golden
from device.protocol import manifest

MODEL = manifest.model({"name": "double", "inputs": {"x": [1, 2]}})


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
        (vector(inputs={"x": [["1", "2"]]}), "expected a list"),
        (vector(inputs={"x": 1}), "shape"),
        (vector(inputs={"x": None}), "found nothing"),
        (vector(outputs={"y": "2, 4"}), "expected a list"),
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


def test_the_difference_is_the_largest_one():
    assert golden.difference([[1.0, 2.0]], [[1.5, 1.75]]) == 0.5


@pytest.mark.parametrize("found", [[[1.0, math.nan]], [[math.nan, 2.0]], [[1.0, math.inf]], [1.0, 2.0], [[1.0]]])
def test_nan_infinity_and_another_shape_differ_infinitely(found):
    assert golden.difference([[1.0, 2.0]], found) == math.inf
