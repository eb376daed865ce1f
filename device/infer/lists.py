"""Outputs as nested lists: the form of a model's values in JSON, and in golden vectors. Pure."""

from collections.abc import Iterator
from typing import Any


def listed(output: Any) -> Any:
    """An output as JSON has it: an array as nested lists, a sequence as a list, a map as a table with texts as keys."""
    if isinstance(output, dict):
        return {str(key): listed(value) for key, value in output.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(output, list):
        return [listed(each) for each in output]  # pyright: ignore[reportUnknownVariableType]
    return output.tolist() if hasattr(output, "tolist") else output


def flat(value: Any) -> Iterator[Any]:
    """The numbers and texts of nested lists and tables, in order."""
    if isinstance(value, dict):
        value = [*value.values()]
    if not isinstance(value, list):
        yield value
        return
    for each in value:  # pyright: ignore[reportUnknownVariableType]
        yield from flat(each)


def shape(value: Any) -> list[int]:
    """The shape of nested lists, [] for a number or a text; raises ValueError for rows of different lengths."""
    if not isinstance(value, list):
        return []
    shapes = [shape(row) for row in value]  # pyright: ignore[reportUnknownVariableType]
    if any(each != shapes[0] for each in shapes):
        raise ValueError("its rows differ in length")
    return [len(shapes), *(shapes[0] if shapes else [])]
