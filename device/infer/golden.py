"""Golden vectors: inputs with the model's outputs from the place where it was made.

    {"vectors": [{"inputs": {"lux": [[…]]}, "outputs": {"presence": [[…]]}}, …]}

They expose a board with other results (another runtime, a broken file) before the model is used.
Pure: parses and compares; running the model is checks.py's.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from device.errors import BadArtifactError
from device.infer.lists import flat, shape
from device.infer.tensors import fits
from device.protocol.errors import ProtocolError
from device.protocol.fields import items, only, table
from device.protocol.model_manifest import ModelManifest, Tolerance

_REMEDY = "Write golden.json again with the script that made the model"


@dataclass(frozen=True)
class Vector:
    """One recorded run: each input and output by name, as nested lists; a number or a text for one without a shape."""

    inputs: Mapping[str, object]
    outputs: Mapping[str, object]


def parse(data: bytes, manifest: ModelManifest) -> list[Vector]:
    """The vectors in a golden.json; raises BadArtifactError when it has none or they do not fit `manifest`."""
    try:
        document = table(json.loads(data), "golden.json")
        only(document, ("vectors",), "golden.json")
        vectors = [_vector(each, manifest) for each in items(document.get("vectors"), "golden.json.vectors")]
    except (ProtocolError, ValueError, RecursionError) as error:
        raise BadArtifactError("golden.json cannot be used", str(error), _REMEDY) from error
    if not vectors:
        raise BadArtifactError("golden.json holds no vectors", "a model is accepted by what it computes", _REMEDY)
    return vectors


def fault(expected: Any, found: Any, tolerance: Tolerance) -> str:
    """Why an output is not the golden one, "" when it is. Both are nested lists.

    A number passes within one of the two tolerances. A text passes when it is the same.
    """
    if shape(expected) != shape(found):
        return f"has shape {shape(found)} in place of {shape(expected)}"
    largest = 0.0
    for wanted, got in zip(flat(expected), flat(found), strict=True):
        if isinstance(wanted, str) or isinstance(got, str):
            if wanted != got:
                return f"is {got!r} in place of {wanted!r}"
            continue
        apart = abs(wanted - got)
        # Written so that NaN fails.
        if not apart <= max(tolerance.absolute, tolerance.relative * abs(wanted)):
            largest = max(largest, apart) if math.isfinite(apart) else math.inf
    return f"differs by {largest:g}, more than the tolerance of {tolerance.absolute:g}" if largest else ""


def same_place(expected: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Whether the highest number of each golden output is at its golden place."""
    return all(_highest(values) == _highest(found[name]) for name, values in expected.items())


def _highest(values: object) -> int:
    numbers = [*flat(values)]
    return max(range(len(numbers)), key=lambda place: numbers[place], default=0)


def _vector(value: object, manifest: ModelManifest) -> Vector:
    where = "golden.json.vectors"
    fields = table(value, where)
    only(fields, ("inputs", "outputs"), where)
    vector = Vector(table(fields.get("inputs"), f"{where}.inputs"), table(fields.get("outputs"), f"{where}.outputs"))
    for name, values in [*vector.inputs.items(), *vector.outputs.items()]:
        shape(values)
        if not all(isinstance(each, (int, float, str)) for each in flat(values)):
            raise ProtocolError(f"{where}: {name} holds something else than numbers and texts")
    _check_inputs(vector.inputs, manifest, f"{where}.inputs")
    _check_outputs(vector.outputs, f"{where}.outputs")
    return vector


def _check_inputs(inputs: Mapping[str, object], manifest: ModelManifest, where: str) -> None:
    wanted = set(manifest.inputs) - set(manifest.state)
    if set(inputs) != wanted:
        raise ProtocolError(f"{where}: names {sorted(inputs)}; model.toml has {sorted(wanted)}")
    for name, values in inputs.items():
        declared = manifest.inputs[name]
        if declared is not None and not fits(shape(values), declared):
            raise ProtocolError(f"{where}.{name}: shape {shape(values)}; model.toml says {declared}")


def _check_outputs(outputs: Mapping[str, object], where: str) -> None:
    if not outputs:
        raise ProtocolError(f"{where}: names no output")
    for name, values in outputs.items():
        if not all(isinstance(each, str) or math.isfinite(each) for each in flat(values)):
            raise ProtocolError(f"{where}.{name}: holds NaN or infinity, which nothing can be compared with")
