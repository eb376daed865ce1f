"""What a function may give for an input, and what it is told when it gives something else."""

import array
import datetime

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from device.infer.given import Input
from device.infer.tensors import Described

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def taker(dtype="float32", shape=(2, 3), bounds=None):
    return Input("m: input 'x'", Described("tensor", dtype), None if shape is None else [*shape], bounds)


def filled(values, dtype="float32", shape=(2, 3)):
    """By the quick way of fixed shapes."""
    made = taker(dtype, shape)
    buffer = made.zeros()
    made.fill(buffer.reshape(-1), values)
    return buffer


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3, 4, 5, 6],
        [1.0, 2, 3.0, 4, 5, 6],
        (1, 2, 3, 4, 5, 6),
        [[1, 2, 3], [4, 5, 6]],
        [[[1, 2, 3], [4, 5, 6]]],
        np.arange(1, 7),
        np.arange(1, 7, dtype=np.float64).reshape(1, 1, 2, 3),
        [np.float32(1), 2, 3, 4, 5, np.int8(6)],
        bytes([1, 2, 3, 4, 5, 6]),
        bytearray([1, 2, 3, 4, 5, 6]),
        memoryview(bytes([1, 2, 3, 4, 5, 6])),
        array.array("d", [1, 2, 3, 4, 5, 6]),
        np.arange(1, 7)[::-1][::-1],
    ],
    ids=lambda values: type(values).__name__,
)
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_numbers_are_taken_in_every_form_for_every_type(values, dtype):
    wanted = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    for found in (filled(values, dtype), taker(dtype).read(values)):
        assert (found.dtype, found.tolist()) == (wanted.dtype, wanted.tolist())


NEVER = [None, "1", 1j, datetime.datetime(2026, 1, 1), {"a": 1}, {1}, object(), [], b"ab"]


@pytest.mark.parametrize("dtype", ["float32", "uint8", "bool"])
@pytest.mark.parametrize("value", NEVER, ids=lambda value: type(value).__name__)
def test_what_is_no_number_is_refused(value, dtype):
    for values in ([1, 0, 1, 0, 1, value], [[1, 0, 1], [0, 1, value]], value):
        for take in (filled, taker(dtype).read):
            with pytest.raises(ValueError, match="m: input 'x'"):
                take(values)


@pytest.mark.parametrize(
    ("value", "dtype", "said"),
    [
        (0.9, "uint8", "takes whole numbers from 0 to 255; 0.9 was given"),
        (300, "uint8", "takes whole numbers from 0 to 255; 300 was given"),
        (-1, "uint8", "-1 was given"),
        (float("nan"), "uint8", "nan was given"),
        (float("inf"), "int64", "inf was given"),
        (2.0**63, "int64", "9.223372036854776e+18 was given"),
        (-1, "uint64", "-1 was given"),
        (128, "int8", "takes whole numbers from -128 to 127; 128 was given"),
        (70000, "float16", "takes numbers from -65504 to 65504; 70000 was given"),
        (1e39, "float32", "1e"),
        (-1e39, "float32", "-1e"),
        (0.5, "bool", "takes true or false; 0.5 was given"),
        (2, "bool", "takes true or false; 2 was given"),
        ("1", "float32", "takes numbers; str '1' was given"),
        (None, "float32", "takes numbers; None was given"),
    ],
)
def test_a_number_that_would_be_another_is_refused_with_what_is_taken(value, dtype, said):
    for values in ([value] * 6, [1, 1, 1, 1, 1, value], np.array([value] * 6)):
        for take in (lambda v: filled(v, dtype), taker(dtype).read):
            if isinstance(values, list) or value not in ("1", None):
                with pytest.raises(ValueError) as told:
                    take(values)
                assert said in str(told.value)


def test_large_numbers_that_cancel_out_are_still_too_large():
    with pytest.raises(ValueError, match="takes numbers from"):
        filled([1e39, -1e39, 0.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_and_infinity_are_numbers_of_floats(dtype):
    found = filled([float("nan"), float("inf"), -float("inf"), 0, 1, 2], dtype)
    assert np.isnan(found[0, 0]) and found[0, 1:].tolist() == [float("inf"), -float("inf")]


def test_truth_is_taken_as_true_and_false_or_one_and_zero():
    assert filled([True, False, 1, 0, 1.0, 0.0], "bool").tolist() == [[True, False, True], [False, True, False]]
    assert filled([True, False, 1, 0, 1, 0], "float32").tolist() == [[1, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize(
    "values", [np.zeros((3, 2)), np.zeros((2, 3, 1)), [[0, 0], [0, 0], [0, 0]], [[0, 0, 0, 0, 0, 0]], np.zeros((6, 1))]
)
def test_another_shape_of_as_many_values_is_refused(values):
    # Of a picture: channels first, where they are to be last.
    for take in (filled, taker().read):
        with pytest.raises(ValueError, match=r"has shape \[2, 3\]; \["):
            take(values)


@pytest.mark.parametrize("values", [[], [1], [1] * 5, [1] * 7, 5, np.zeros((2, 2))])
def test_another_number_of_values_is_refused_and_never_padded(values):
    for take in (filled, taker().read):
        with pytest.raises(ValueError, match=r"takes 6 values \(shape \[2, 3\]\)"):
            take(values)


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="rows of one length"):
        filled([[1, 2, 3], [4, 5]])


def test_a_declared_range_is_held():
    pixel = taker("float32", (2,), (0, 255))
    assert pixel.read([0, 255]).tolist() == [0, 255]
    for wrong in ([0, 256], [-0.1, 0], [float("nan"), 0]):
        for take in (pixel.read, lambda values: pixel.fill(np.zeros(2, np.float32), values)):
            with pytest.raises(ValueError, match=r"takes 0 to 255, says model\.toml; "):
                take(wrong)


def test_free_sizes_come_from_the_values():
    free = taker("float32", (1, "n", 2))
    assert free.read([1, 2, 3, 4]).shape == (1, 2, 2)
    assert free.read([[1, 2]]).shape == (1, 1, 2)
    assert free.read(np.zeros((1, 0, 2))).shape == (1, 0, 2)
    with pytest.raises(ValueError, match="has shape"):
        free.read([1, 2, 3])
    assert taker("float32", ("a", "b")).read([1, 2, 3]).shape == (1, 3)


def test_a_scalar_is_a_number():
    assert taker("float32", ()).read(5).shape == ()
    assert taker("float32", (1,)).read(5).tolist() == [5]


def test_an_array_of_the_right_type_and_shape_is_not_copied():
    given = np.zeros((2, 3), np.float32)
    assert taker().read(given) is given or np.shares_memory(taker().read(given), given)
    assert np.shares_memory(taker("uint8").read(memoryview(bytearray(6))), taker("uint8").read(bytes(6))) is False


def test_sequences_maps_and_what_may_be_left_out():
    sequence = Input("m: input 's'", Described("sequence", "float32"), None, None)
    assert [each.tolist() for each in sequence.read([[1, 2], [3]])] == [[1, 2], [3]]
    with pytest.raises(ValueError, match="takes a list of arrays; str 'ab' was given"):
        sequence.read("ab")
    mapping = Input("m: input 'm'", Described("map", "float32"), None, None)
    assert mapping.read({"a": 1.0}) == {"a": 1.0}
    with pytest.raises(ValueError, match=r"takes a map; list \[\] was given"):
        mapping.read([])
    assert Input("m: input 'o'", Described("tensor", "float32", optional=True), None, None).read(None) is None


NUMBERS = st.one_of(st.integers(-(2**70), 2**70), st.floats(), st.booleans())


@for_all(st.lists(NUMBERS, min_size=6, max_size=6), st.sampled_from([*FLOATS, *INTEGERS, "bool"]))
def test_every_number_is_itself_there_or_refused(values, dtype):
    try:
        found = filled(values, dtype).reshape(-1)
    except ValueError:
        return
    for one, there in zip(values, found.tolist(), strict=True):
        if dtype in FLOATS:
            wanted = float(np.dtype(dtype).type(float(one)))
            assert there == wanted or (there != there and wanted != wanted)
        else:
            assert there == one
