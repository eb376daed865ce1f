"""The result of one run of a model, for a handler. Pure: it only reads the outputs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from device.infer.golden import flat


class Result:
    """The outputs of one run, and their meaning.

    `outputs` maps each output's name to its values as nested lists in the output's shape.

    Labels, where `model.toml` declares them, speak of the first output. With as many values as labels, each value is
    its label's score and the highest wins. With two labels and a single value p, as a binary classifier with one
    sigmoid gives, the second label's score is p, the first's is 1 - p, and the second wins from p = 0.5 on.
    """

    # One is made for every event: no __dict__, and nothing computed before it is asked for.
    __slots__ = ("_labels", "outputs")

    def __init__(self, outputs: Mapping[str, list[Any]], labels: Sequence[str]) -> None:
        self.outputs = outputs
        self._labels = labels

    @property
    def value(self) -> float:
        """The number of a model with just one; raises ValueError for any other model."""
        values = [number for output in self.outputs.values() for number in flat(output)]
        if len(values) != 1:
            raise ValueError(f"the model gives {len(values)} numbers, not one; read them from .outputs")
        return values[0]

    @property
    def scores(self) -> dict[str, float]:
        """Each label's score; raises ValueError when `model.toml` declares no labels."""
        if not self._labels:
            raise ValueError("model.toml declares no labels; read the numbers from .outputs")
        return label_scores(next(iter(self.outputs.values())), self._labels)

    @property
    def label(self) -> str:
        """The label with the highest score; raises ValueError when labels are missing, or a score is NaN."""
        scores = self.scores
        if any(math.isnan(score) for score in scores.values()):
            raise ValueError("the model gave NaN, which is no score; look for readings that are no numbers")
        # Of equal scores the later label wins: "present" from 0.5 on, not only above.
        return max(reversed(self._labels), key=lambda name: scores[name])

    def __json__(self) -> dict[str, object]:
        """Its form in JSON, for a handler that returns or publishes it."""
        meaning = {"label": self.label, "scores": self.scores} if self._labels else {}
        return {**meaning, "outputs": self.outputs}

    def __repr__(self) -> str:
        return f"Result({self.outputs!r})"


def label_scores(output: list[Any], labels: Sequence[str]) -> dict[str, float]:
    """The score of each label in a model's first output; raises ValueError when their numbers differ."""
    values = list(flat(output))
    if len(values) == 1 and len(labels) == 2:
        values = [1 - values[0], values[0]]
    if len(values) != len(labels):
        raise ValueError(f"the first output has {len(values)} values for {len(labels)} labels")
    return dict(zip(labels, values, strict=True))
