"""What a handler reads from a run."""

import math

import pytest

from device.infer.result import Result

BINARY = ["absent", "present"]


def test_the_value_of_a_single_number():
    assert Result({"presence": [[0.25]]}, []).value == 0.25


@pytest.mark.parametrize("outputs", [{"y": [[1.0, 2.0]]}, {"y": [[1.0]], "z": [2.0]}, {"y": []}])
def test_no_value_where_there_is_not_exactly_one_number(outputs):
    with pytest.raises(ValueError, match=r"read them from \.outputs"):
        _ = Result(outputs, []).value


def test_one_probability_with_two_labels_is_the_second_ones():
    assert Result({"p": [[0.25]]}, BINARY).scores == {"absent": 0.75, "present": 0.25}


@pytest.mark.parametrize(("p", "label"), [(0.0, "absent"), (0.49, "absent"), (0.5, "present"), (1.0, "present")])
def test_the_second_label_wins_from_one_half_on(p, label):
    assert Result({"p": [[p]]}, BINARY).label == label


def test_as_many_values_as_labels_are_their_scores_and_the_highest_wins():
    result = Result({"scores": [[0.1, 0.7, 0.2]], "other": [[9.0]]}, ["red", "green", "blue"])
    assert result.scores == {"red": 0.1, "green": 0.7, "blue": 0.2}
    assert result.label == "green"


def test_nan_is_nobodys_label():
    with pytest.raises(ValueError, match="NaN"):
        _ = Result({"p": [[math.nan]]}, BINARY).label


def test_without_labels_asking_for_one_says_so():
    with pytest.raises(ValueError, match="declares no labels"):
        _ = Result({"p": [[0.5]]}, []).label


def test_its_form_in_json_has_the_meaning_where_there_is_one():
    assert Result({"p": [[0.25]]}, []).__json__() == {"outputs": {"p": [[0.25]]}}
    said = Result({"p": [[0.25]]}, BINARY).__json__()
    assert said == {"label": "absent", "scores": {"absent": 0.75, "present": 0.25}, "outputs": {"p": [[0.25]]}}
