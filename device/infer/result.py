"""The result of one run of a model, for a handler. It only reads the outputs, and only once it is asked for."""

from collections.abc import Mapping
from typing import Any

from device.infer.lists import flat, listed
from device.infer.meaning import Meaning

_NO_MEANING = Meaning()


class Result:
    """The outputs of one run, and their meaning.

    Labels, where `model.toml` declares them, speak of the output under `scores`, else of the first that has as many
    numbers as there are labels: the highest wins. With two labels and a single number p, as a binary classifier with
    one sigmoid gives, the second label's score is p, the first's is 1 - p, and the second wins from p = 0.5 on. Without
    labels, an output of one text is the label, as scikit-learn's classifiers have it.
    """

    # One is made for every event: no __dict__, and nothing computed before it is asked for.
    __slots__ = ("_arrays", "_listed", "_meaning")

    def __init__(self, outputs: Mapping[str, Any], meaning: Meaning = _NO_MEANING) -> None:
        self._arrays = outputs
        self._listed: dict[str, Any] | None = None
        self._meaning = meaning

    @property
    def outputs(self) -> dict[str, Any]:
        """Each output by name: its values as nested lists in its shape, a sequence as a list, a map as a table."""
        if self._listed is None:
            self._listed = {name: listed(output) for name, output in self._arrays.items()}
        return self._listed

    def array(self, name: str = "") -> Any:
        """The output `name` as an array of numpy; the only one where no name is given. It is the caller's to change.

        Raises ValueError for an unknown name, and for an output that is no array.
        """
        if not name and len(self._arrays) == 1:
            name = next(iter(self._arrays))
        if name not in self._arrays:
            raise ValueError(f"the model has no output {name!r}; it has {', '.join(map(repr, sorted(self._arrays)))}")
        output = self._arrays[name]
        if isinstance(output, (list, dict)):
            raise ValueError(f"output {name!r} is a sequence; read it from .outputs")
        return output

    @property
    def value(self) -> float:
        """The number of a model with just one; raises ValueError for any other model."""
        values = [number for output in self.outputs.values() for number in flat(output)]
        if len(values) != 1:
            raise ValueError(f"the model gives {len(values)} numbers, not one; read them from .outputs")
        return values[0]

    @property
    def scores(self) -> dict[str, float]:
        """Each label's score.

        Raises ValueError without labels, and for numbers that are no scores, such as those before a softmax that
        `model.toml` does not declare.
        """
        if self._meaning.labels:
            return self._meaning.scores(self._arrays)
        if len(maps := [each for each in self.outputs.values() if _is_map(each)]) == 1:
            return dict(maps[0][0])
        raise ValueError("model.toml declares no labels; read the numbers from .outputs")

    @property
    def label(self) -> str:
        """The label with the highest score; raises ValueError when labels are missing, or a score is NaN."""
        if self._meaning.labels:
            return self._meaning.label(self._arrays)
        texts = [each for output in self.outputs.values() for each in flat(output) if isinstance(each, str)]
        if len(texts) == 1:
            return texts[0]
        raise ValueError("model.toml declares no labels; read the numbers from .outputs")

    def __json__(self) -> dict[str, object]:
        """Its form in JSON, for a handler that returns or publishes it."""
        said: dict[str, object] = {}
        if self._meaning.labels:
            said["label"] = self.label
            try:
                said["scores"] = self.scores
            except ValueError:
                # The label holds without them.
                pass
        return {**said, "outputs": self.outputs}

    def __repr__(self) -> str:
        return f"Result({self.outputs!r})"


def _is_map(output: Any) -> bool:
    """Whether it is what a ZipMap gives for one row: a list of one table."""
    return isinstance(output, list) and len(output) == 1 and isinstance(output[0], dict)  # pyright: ignore[reportUnknownArgumentType]
