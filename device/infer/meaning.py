"""What a model's numbers mean: which output the labels speak of, and how its numbers become scores. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from device.infer.lists import flat, listed
from device.protocol.model_manifest import Scores

# Softmax and sigmoid of float16 leave so much beside 0 and 1.
_SLACK = 1e-3
_ASK = (
    'say in model.toml what they are: scores = { activation = "softmax" }, "sigmoid", or "none" where they are scores'
)


class Meaning:
    """What the numbers of an output mean: the labels, and how scores are made of them."""

    def __init__(self, labels: Sequence[str] = (), scores: Scores | None = None) -> None:
        self.labels = [*labels]
        self._output = scores.output if scores else ""
        self._activation = scores.activation if scores else ""
        # How many numbers an output has that the labels may speak of.
        self._counts = (len(self.labels), 1) if len(self.labels) == 2 else (len(self.labels),)

    def scores(self, outputs: Mapping[str, Any]) -> dict[str, float]:
        """Each label's score; raises ValueError for numbers that are none, and where no output fits the labels."""
        return dict(zip(self.labels, self._scores(self._numbers(outputs)), strict=True))

    def label(self, outputs: Mapping[str, Any]) -> str:
        """The label with the highest number; of equal ones the later. Raises ValueError as `scores`, and for NaN."""
        values = self._numbers(outputs)
        if any(map(math.isnan, values)):
            raise ValueError("the model gave NaN, which is no score; look for readings that are no numbers")
        # The highest number has the highest score, but for one that stands for two.
        if len(values) == 1:
            values = self._scores(values)
        # From the end, for the later label wins: "present" from 0.5 on, not only above.
        return self.labels[len(values) - 1 - values[::-1].index(max(values))]

    def _scores(self, values: list[float]) -> list[float]:
        if self._activation == "softmax":
            values = _softmax(values)
        elif self._activation == "sigmoid":
            values = [_sigmoid(each) for each in values]
        elif not self._activation and not -_SLACK <= min(values) <= max(values) <= 1 + _SLACK:
            raise ValueError(f"the model's numbers ({min(values):g} to {max(values):g}) are no scores; {_ASK}")
        return [1 - values[0], values[0]] if len(values) < len(self.labels) else values

    def _numbers(self, outputs: Mapping[str, Any]) -> list[float]:
        """The numbers for the labels, before they are scores; raises ValueError when no output fits."""
        if self._output:
            return self._fitting(self._output, _numbers(outputs[self._output]))
        for output in outputs.values():
            # A label as a whole number stands before the scores in what scikit-learn exports.
            if output.__class__ is not list and output.dtype.kind == "f" and output.size in self._counts:
                return _numbers(output)
        first = next(iter(outputs))
        return self._fitting(first, _numbers(outputs[first]))

    def _fitting(self, name: str, values: list[float]) -> list[float]:
        if len(values) not in self._counts:
            raise ValueError(f"output {name!r} has {len(values)} values for {len(self.labels)} labels")
        return values


def _numbers(output: Any) -> list[float]:
    if hasattr(output, "dtype") and output.dtype.kind in "fiub":
        return output.reshape(-1).tolist()
    return [float(each) for each in flat(listed(output))]


def _softmax(values: Sequence[float]) -> list[float]:
    high = max(values)
    powers = [math.exp(each - high) for each in values]
    total = sum(powers)
    return [each / total for each in powers]


def _sigmoid(value: float) -> float:
    # Each side by the power that cannot overflow.
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
