"""Golden vectors: inputs with the model's outputs from the place where it was made.

    {"vectors": [{"inputs": {"lux": [[…]]}, "outputs": {"presence": [[…]]}}, …]}

They expose a board with other results (another runtime, a broken file) before the model is used.
Pure: parses and compares; running the model is checks.py's.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from device.errors import BadArtifactError
from device.protocol.errors import ProtocolError
from device.protocol.fields import items, only, table
from device.protocol.manifest import ModelManifest

_REMEDY = "Write golden.json again with the script that made the model"


@dataclass(frozen=True)
class Vector:
    """One recorded run: for each input and output, by name, its nested list of numbers (or the number of a scalar)."""

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


def difference(expected: object, found: object) -> float:
    """The largest difference of two nested lists; infinite when their shapes differ or a number is not finite."""
    if shape(expected) != shape(found):
        return math.inf
    pairs = list(zip(flat(expected), flat(found), strict=True))
    # Checked apart, for every comparison with NaN is false and `max` may step over one.
    if not all(math.isfinite(a) and math.isfinite(b) for a, b in pairs):
        return math.inf
    return max((abs(a - b) for a, b in pairs), default=0.0)


def shape(value: object) -> list[int]:
    """The shape of a nested list, [] for a number; raises ProtocolError when it is ragged or holds no numbers."""
    if isinstance(value, (int, float)):
        return []
    rows = items(value, "tensor")
    shapes = [shape(row) for row in rows]
    if any(each != shapes[0] for each in shapes):
        raise ProtocolError("tensor: its rows differ in length")
    return [len(rows), *(shapes[0] if shapes else [])]


def flat(value: object) -> Iterator[float]:
    """The numbers of a nested list, in order."""
    if isinstance(value, (int, float)):
        yield float(value)
        return
    for row in items(value, "tensor"):
        yield from flat(row)


def _vector(value: object, manifest: ModelManifest) -> Vector:
    where = "golden.json.vectors"
    fields = table(value, where)
    only(fields, ("inputs", "outputs"), where)
    vector = Vector(table(fields.get("inputs"), f"{where}.inputs"), table(fields.get("outputs"), f"{where}.outputs"))
    if set(vector.inputs) != set(manifest.inputs):
        raise ProtocolError(f"{where}.inputs: names {sorted(vector.inputs)}; model.toml has {sorted(manifest.inputs)}")
    for name, tensor in vector.inputs.items():
        if shape(tensor) != manifest.inputs[name]:
            raise ProtocolError(
                f"{where}.inputs.{name}: shape {shape(tensor)}; model.toml says {manifest.inputs[name]}"
            )
    if not vector.outputs:
        raise ProtocolError(f"{where}.outputs: names no output")
    for name, tensor in vector.outputs.items():
        if difference(tensor, tensor) != 0:
            raise ProtocolError(f"{where}.outputs.{name}: holds NaN or infinity, which nothing can be compared with")
    return vector
