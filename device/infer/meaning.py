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

    def numbers(self, outputs: Mapping[str, Any]) -> list[float]:
        """The numbers for the labels, before they are scores; raises ValueError when no output fits."""
        if self._output:
            return self._fitting(self._output, outputs[self._output])
        for name, output in outputs.items():
            # A label as a whole number stands before the scores in what scikit-learn exports.
            if _is_float(output) and _count(output) in (len(self.labels), 1 if len(self.labels) == 2 else -1):
                return self._fitting(name, output)
        first = next(iter(outputs))
        return self._fitting(first, outputs[first])

    def _fitting(self, name: str, output: Any) -> list[float]:
        values = [float(each) for each in flat(listed(output))]
        if len(values) != len(self.labels) and (len(values), len(self.labels)) != (1, 2):
            raise ValueError(f"output {name!r} has {len(values)} values for {len(self.labels)} labels")
        return values

    def scores(self, outputs: Mapping[str, Any]) -> dict[str, float]:
        """Each label's score; raises ValueError for numbers that are none."""
        values = self.numbers(outputs)
        if self._activation == "softmax":
            values = _softmax(values)
        elif self._activation == "sigmoid":
            values = [_sigmoid(each) for each in values]
        elif not self._activation and not all(-_SLACK <= each <= 1 + _SLACK or each != each for each in values):
            raise ValueError(f"the model's numbers ({min(values):g} to {max(values):g}) are no scores; {_ASK}")
        if len(values) == 1:
            values = [1 - values[0], values[0]]
        return dict(zip(self.labels, values, strict=True))

    def label(self, outputs: Mapping[str, Any]) -> str:
        """The label with the highest number; of equal ones the later. Raises ValueError for NaN."""
        values = self.numbers(outputs)
        if any(math.isnan(each) for each in values):
            raise ValueError("the model gave NaN, which is no score; look for readings that are no numbers")
        if len(values) == 1 or self._activation:
            values = [*self.scores(outputs).values()]
        # Of equal scores the later label wins: "present" from 0.5 on, not only above.
        return max(reversed([*zip(self.labels, values, strict=True)]), key=lambda each: each[1])[0]


def _is_float(output: Any) -> bool:
    if hasattr(output, "dtype"):
        return output.dtype.kind == "f"
    return any(isinstance(each, float) for each in flat(output))


def _count(output: Any) -> int:
    return output.size if hasattr(output, "size") else sum(1 for _ in flat(output))


def _softmax(values: Sequence[float]) -> list[float]:
    high = max(values)
    powers = [math.exp(each - high) for each in values]
    return [each / sum(powers) for each in powers]


def _sigmoid(value: float) -> float:
    # Each side by the power that cannot overflow.
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
