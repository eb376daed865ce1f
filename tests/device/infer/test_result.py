"""What a handler reads from a run."""

import math

import numpy as np
import pytest

from device.infer.meaning import Meaning
from device.infer.result import Result
from device.protocol.model_manifest import Scores

BINARY = ["absent", "present"]
COLOURS = ["red", "green", "blue"]


def result(outputs, labels=(), activation="", output=""):
    arrays = {name: np.array(each) if not isinstance(each, dict) else each for name, each in outputs.items()}
    return Result(arrays, Meaning(labels, Scores(output, activation)))


def test_the_value_of_a_single_number():
    assert result({"presence": [[0.25]]}).value == 0.25


@pytest.mark.parametrize("outputs", [{"y": [[1.0, 2.0]]}, {"y": [[1.0]], "z": [2.0]}, {"y": []}])
def test_no_value_where_there_is_not_exactly_one_number(outputs):
    with pytest.raises(ValueError, match=r"read them from \.outputs"):
        _ = result(outputs).value


def test_one_probability_with_two_labels_is_the_second_ones():
    assert result({"p": [[0.25]]}, BINARY).scores == {"absent": 0.75, "present": 0.25}


@pytest.mark.parametrize(("p", "label"), [(0.0, "absent"), (0.49, "absent"), (0.5, "present"), (1.0, "present")])
def test_the_second_label_wins_from_one_half_on(p, label):
    assert result({"p": [[p]]}, BINARY).label == label


def test_as_many_values_as_labels_are_their_scores_and_the_highest_wins():
    made = result({"scores": [[0.1, 0.7, 0.2]], "other": [[9.0]]}, COLOURS)
    assert made.scores == {"red": 0.1, "green": 0.7, "blue": 0.2}
    assert made.label == "green"


def test_nan_is_nobodys_label():
    with pytest.raises(ValueError, match="NaN"):
        _ = result({"p": [[math.nan]]}, BINARY).label


def test_without_labels_asking_for_one_says_so():
    for ask in ("label", "scores"):
        with pytest.raises(ValueError, match="declares no labels"):
            getattr(result({"p": [[0.5]]}), ask)


def test_numbers_that_are_no_scores_are_not_called_so_and_the_label_holds():
    made = result({"logits": [[-3.0, 7.0, 1.0]]}, COLOURS)
    assert made.label == "green"
    with pytest.raises(ValueError, match=r"numbers \(-3 to 7\) are no scores; .*softmax"):
        _ = made.scores
    assert made.__json__() == {"label": "green", "outputs": {"logits": [[-3.0, 7.0, 1.0]]}}


def test_a_single_logit_needs_its_sigmoid():
    with pytest.raises(ValueError, match="are no scores"):
        _ = result({"logit": [[4.0]]}, BINARY).label
    made = result({"logit": [[-2.0]]}, BINARY, "sigmoid")
    assert made.label == "absent"
    assert made.scores == {"absent": pytest.approx(0.880797), "present": pytest.approx(0.119203)}


@pytest.mark.parametrize("logit", [-1e4, -700.0, 0.0, 700.0, 1e4])
def test_no_logit_overflows(logit):
    assert 0 <= result({"logit": [[logit]]}, BINARY, "sigmoid").scores["present"] <= 1
    assert sum(result({"logits": [[logit, 0.0, 1.0]]}, COLOURS, "softmax").scores.values()) == pytest.approx(1)


def test_softmax_makes_scores_of_logits():
    made = result({"logits": [[1.0, 2.0, 3.0]]}, COLOURS, "softmax")
    assert [*made.scores.values()] == pytest.approx([0.090031, 0.244728, 0.665241], abs=1e-6)
    assert made.label == "blue"


def test_values_beyond_one_are_scores_where_model_toml_says_so():
    assert result({"votes": [[3.0, 1.0, 0.0]]}, COLOURS, "none").scores == {"red": 3.0, "green": 1.0, "blue": 0.0}


def test_a_label_as_a_whole_number_before_the_scores_is_passed_over():
    # scikit-learn's classifiers: output_label, then output_probability.
    outputs = {"output_label": np.array([1], np.int64), "output_probability": np.array([[0.2, 0.8]], np.float32)}
    assert result(outputs, BINARY).label == "present"
    assert result(outputs, BINARY).scores["present"] == pytest.approx(0.8)


def test_the_declared_output_is_the_one_the_labels_speak_of():
    outputs = {"a": [[0.9, 0.1]], "b": [[0.2, 0.8]]}
    assert result(outputs, BINARY).label == "absent"
    assert result(outputs, BINARY, output="b").label == "present"


def test_a_text_is_a_label_and_a_zip_map_has_the_scores_where_none_are_declared():
    made = Result({"label": np.array(["cat"], object), "probabilities": [{"cat": 0.75, "dog": 0.25}]})
    assert (made.label, made.scores) == ("cat", {"cat": 0.75, "dog": 0.25})
    assert made.outputs == {"label": ["cat"], "probabilities": [{"cat": 0.75, "dog": 0.25}]}


def test_labels_that_fit_no_output_are_told():
    with pytest.raises(ValueError, match="output 'y' has 2 values for 3 labels"):
        _ = result({"y": [[0.5, 0.5]]}, COLOURS).label


def test_an_output_is_an_array_too():
    made = result({"y": [[1.0, 2.0]]})
    assert made.array().tolist() == made.array("y").tolist() == made.outputs["y"]
    with pytest.raises(ValueError, match="no output 'z'; it has 'y'"):
        made.array("z")
    with pytest.raises(ValueError, match="no output ''; it has 'a', 'b'"):
        result({"a": [1.0], "b": [2.0]}).array()
    with pytest.raises(ValueError, match="is a sequence"):
        Result({"s": [np.array([1.0])]}).array("s")


def test_its_form_in_json_has_the_meaning_where_there_is_one():
    assert result({"p": [[0.25]]}).__json__() == {"outputs": {"p": [[0.25]]}}
    said = result({"p": [[0.25]]}, BINARY).__json__()
    assert said == {"label": "absent", "scores": {"absent": 0.75, "present": 0.25}, "outputs": {"p": [[0.25]]}}
