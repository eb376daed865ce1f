"""The types of a model's inputs and outputs, as onnxruntime names them: "tensor(float)", "map(int64,tensor(float))".

Pure. onnxruntime's names are of onnxruntime/core/framework/data_types.cc; those of the elements are numpy's here.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_ELEMENTS = {
    "float": "float32",
    "double": "float64",
    "float16": "float16",
    "int8": "int8",
    "uint8": "uint8",
    "int16": "int16",
    "uint16": "uint16",
    "int32": "int32",
    "uint32": "uint32",
    "int64": "int64",
    "uint64": "uint64",
    "bool": "bool",
    # Python's own strings.
    "string": "object",
}
_OPTIONAL = re.compile(r"optional\((.+)\)")
_SEQUENCE = re.compile(r"seq\((.+)\)")
_TENSOR = re.compile(r"tensor\((\w+)\)")
_MAP = re.compile(r"map\((\w+),\s*tensor\((\w+)\)\)")


class Described(NamedTuple):
    """A type: `kind` is "tensor", "sequence" or "map"; `dtype` numpy's name of the elements; `optional` may be None."""

    kind: str
    dtype: str
    optional: bool = False


def described(name: str) -> Described | None:
    """The type that onnxruntime calls `name`; None for one that Python has no values of (bfloat16, float8, int4 …)."""
    if optional := _OPTIONAL.fullmatch(name):
        inner = described(optional[1])
        return inner and inner._replace(optional=True)
    if sequence := _SEQUENCE.fullmatch(name):
        inner = described(sequence[1])
        return inner and Described("sequence", inner.dtype)
    if found := _MAP.fullmatch(name):
        return Described("map", _ELEMENTS[found[2]]) if found[2] in _ELEMENTS else None
    found = _TENSOR.fullmatch(name)
    return Described("tensor", _ELEMENTS[found[1]]) if found and found[1] in _ELEMENTS else None


def fits(shape: Sequence[int | str | None], declared: Sequence[int | str]) -> bool:
    """Whether both have as many sizes, and no two numbers differ. A size without a number takes any."""
    return len(shape) == len(declared) and all(
        not isinstance(size, int) or not isinstance(wanted, int) or size == wanted
        for size, wanted in zip(shape, declared, strict=True)
    )
