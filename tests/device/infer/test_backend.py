"""The node tests of the `onnx` package: what onnxruntime computes, the product's own session gives, bit for bit.

Each is a model of one operator with inputs and expected outputs: texts, maps, sequences, optional values, no sizes and
free ones. Those that onnxruntime itself does not pass here are left out.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests

from device.infer import ort
from device.infer.session import Model
from device.protocol.model_manifest import ANY, model

# Those that the session refuses, and why.
REFUSED = {"test_constant": "names no input"}
# The `onnx` package pinned in constraints.txt has so many that onnxruntime passes.
LEAST = 1230


class Case(NamedTuple):
    """A test that onnxruntime passes: its session, and its runs with onnxruntime's own outputs."""

    name: str
    session: Any
    runs: list[tuple[Mapping[str, Any], Sequence[Any]]]


def same(found: Any, wanted: Any) -> bool:
    """Whether onnxruntime's output is the one that the test expects, as its own runner compares them."""
    if found is None or wanted is None:
        return found is wanted
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.shape != wanted.shape or wanted.dtype.kind in "OUS":
        return found.shape == wanted.shape and bool((found.astype(str) == wanted.astype(str)).all())
    return found.dtype == wanted.dtype and np.allclose(found, wanted, 1e-3, 1e-7, equal_nan=True)


def identical(found: Any, wanted: Any) -> bool:
    """Whether two outputs have the same bits."""
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(identical, found, wanted))
    if not isinstance(wanted, np.ndarray):
        return found is wanted or found == wanted
    if found.dtype != wanted.dtype or found.shape != wanted.shape:
        return False
    return found.tolist() == wanted.tolist() if wanted.dtype == object else found.tobytes() == wanted.tobytes()


def passed(test: TestCase, file: Path) -> Case | None:
    """The case, when onnxruntime passes it here."""
    if test.model is None:
        return None
    file.write_bytes(test.model.SerializeToString())
    names = [each.name for each in test.model.graph.input]
    try:
        session = ort.open_session(file)
        runs = [(dict(zip(names, inputs, strict=False)), outputs) for inputs, outputs in test.data_sets or ()]
        got = [(inputs, session.run(None, inputs)) for inputs, _ in runs]
    except Exception:
        return None
    right = all(all(map(same, found, wanted)) for (_, found), (_, wanted) in zip(got, runs, strict=True))
    return Case(test.name, session, got) if got and right else None


def declared(case: Case) -> Mapping[str, object]:
    """The [inputs] of a model.toml for it."""
    given = case.runs[0][0]
    return {
        each.name: [*np.asarray(given[each.name]).shape] if each.type.startswith("tensor") else ANY
        for each in case.session.get_inputs()
    }


def trouble(case: Case) -> str:
    """What our session does otherwise than onnxruntime, "" for nothing."""
    names = [each.name for each in case.session.get_outputs()]
    try:
        ours = Model(case.session, model({"name": "m", "inputs": declared(case)}))
        for inputs, wanted in case.runs:
            # Asked for as they are: sequences and maps are no arrays.
            found = ours.run(inputs)._arrays
            differing = [name for name, each in zip(names, wanted, strict=True) if not identical(found[name], each)]
            if differing:
                return f"differs in {', '.join(differing)}"
    except Exception as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore")
def test_every_operator_gives_what_onnxruntime_gives(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = load_model_tests(kind="node")
    cases = [case for test in tests if (case := passed(test, tmp_path / "model.onnx"))]
    found = {case.name: why for case in cases if (why := trouble(case))}
    assert {name for name, why in found.items() if REFUSED.get(name, "\0") not in why} == set()
    assert len(cases) - len(found) >= LEAST
