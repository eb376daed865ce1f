"""Chains of functions end."""

import pytest

from device.errors import RejectedError
from device.protocol.manifest import FunctionManifest, StateTable
from device.protocol.triggers import FunctionTrigger, HttpTrigger
from device.triggers.chains import check


def function(name, *waits, serves=()):
    triggers = [*map(FunctionTrigger, waits), *serves]
    return FunctionManifest(
        name=name,
        module="main",
        attribute="handler",
        memory=1,
        timeout=1.0,
        triggers=triggers,
        pins={},
        sensors=[],
        models=[],
        state=StateTable(1, 1, ("", "")),
        config={},
    )


def test_a_chain_a_fork_and_a_diamond_are_allowed():
    check([function("a"), function("b", "a"), function("c", "a"), function("d", "b", "c")])


@pytest.mark.parametrize(
    ("functions", "words"),
    [
        ([function("a", "a")], "a → a"),
        ([function("a", "b"), function("b", "a")], "a → b → a"),
        ([function("a", "c"), function("b", "a"), function("c", "b"), function("d", "a")], "a → b → c → a"),
    ],
)
def test_a_circle_is_refused_with_its_way(functions, words):
    with pytest.raises(RejectedError, match="without end") as refused:
        check(functions)
    assert words in str(refused.value)


def test_a_function_that_waits_behind_a_circle_does_not_hang_the_check():
    with pytest.raises(RejectedError):
        check([function("d", "a"), function("a", "b"), function("b", "a")])


def test_a_missing_function_is_named():
    with pytest.raises(RejectedError, match="b waits for results of 'a'"):
        check([function("b", "a")])


def test_two_functions_cannot_serve_one_path_and_both_are_named():
    one, two = HttpTrigger("/lamp", ("GET",)), HttpTrigger("/lamp", ("GET", "POST"))
    with pytest.raises(RejectedError, match="a and b both serve GET /lamp"):
        check([function("a", serves=[one]), function("b", serves=[two])])
    check([function("a", serves=[one]), function("b", serves=[HttpTrigger("/lamp", ("POST",))])])
    check([function("a", serves=[one, two])])
