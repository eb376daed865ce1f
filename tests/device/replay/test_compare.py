"""When two values are the same decision."""

import pytest

from device.replay.compare import same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0.1 + 0.2, 0.3),
        (None, None),
        ({"a": [1, {"b": 0.3}]}, {"a": [1.0, {"b": 0.1 + 0.2}]}),
        ([], ()),
        ("x", "x"),
    ],
)
def test_the_same(one, other):
    assert same(one, other) and same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        (1, "1"),
        (1, 1.001),
        ({"a": 1}, {"b": 1}),
        ([1], [1, 2]),
        (None, 0),
        ({}, []),
        ("x", ["x"]),
    ],
)
def test_not_the_same(one, other):
    assert not same(one, other) and not same(other, one)
