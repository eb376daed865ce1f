"""The content of `model.toml`, checked: what a model takes and gives, and what it may cost.

Takes the decoded table and gives a complete manifest, or a ProtocolError naming the key. Whether the model is what the
manifest says is found out where models run (device/infer).
"""

from .errors import ProtocolError
from .fields import integer, items, name, number, only, table, text
from .units import MIB, duration, mebibytes

# The shape of an input that takes values of any shape: a sequence, a map, a tensor of any rank.
ANY = "any"
# The ways from a model's numbers to scores; "" where model.toml is silent.
ACTIVATIONS = ("softmax", "sigmoid", "none")
MAX_THREADS = 64
# A dimension is a size, or the name of a free one.
Shape = list["int | str"]
_WHERE = "model.toml"


class Tolerance:
    """How far an output may be from the golden one.

    A number passes within `absolute`, or within `relative` times the golden number. `labels`, from 0 to 1, is the share
    of golden vectors whose highest output is at the golden place; with it the numbers do not decide.
    """

    def __init__(self, absolute: float = 1e-4, relative: float = 0.0, labels: "float | None" = None) -> None:
        self.absolute = absolute
        self.relative = relative
        self.labels = labels


class Scores:
    """The output that the labels speak of ("" for the first that fits them), and how its numbers become scores."""

    def __init__(self, output: str = "", activation: str = "") -> None:
        self.output = output
        self.activation = activation


class ModelManifest:
    """A checked `model.toml`.

    `inputs` maps an input's name to its shape, None for any; `ranges` maps some of them to their lowest and highest
    value. `outputs` are those that are fetched, [] for all. `state` maps an input to the output that is its value in
    the next run. `latency` is the budget for one run in seconds, `memory` in bytes.
    """

    def __init__(
        self,
        *,
        name: str,
        inputs: "dict[str, Shape | None]",
        ranges: "dict[str, tuple[float, float]]",
        outputs: list[str],
        state: dict[str, str],
        labels: list[str],
        scores: Scores,
        tolerance: Tolerance,
        latency: float,
        memory: int,
        threads: int,
    ) -> None:
        self.name = name
        self.inputs = inputs
        self.ranges = ranges
        self.outputs = outputs
        self.state = state
        self.labels = labels
        self.scores = scores
        self.tolerance = tolerance
        self.latency = latency
        self.memory = memory
        self.threads = threads


def model(value: object) -> ModelManifest:
    """The manifest in a decoded `model.toml`."""
    fields = table(value, _WHERE)
    only(
        fields,
        ("name", "inputs", "outputs", "state", "labels", "scores", "tolerance", "latency", "memory", "threads"),
        _WHERE,
    )
    inputs = table(fields.get("inputs"), f"{_WHERE}.inputs")
    if not inputs:
        raise ProtocolError(f"{_WHERE}.inputs: names no input")
    read = {each: _input(declared, f"{_WHERE}.inputs.{each}") for each, declared in inputs.items()}
    return ModelManifest(
        name=name(fields.get("name"), f"{_WHERE}.name"),
        inputs={each: shape for each, (shape, _) in read.items()},
        ranges={each: bounds for each, (_, bounds) in read.items() if bounds},
        outputs=[_text(each, "outputs") for each in items(fields.get("outputs", []), f"{_WHERE}.outputs")],
        state=_state(table(fields.get("state", {}), f"{_WHERE}.state"), [*inputs]),
        labels=[_text(each, "labels") for each in items(fields.get("labels", []), f"{_WHERE}.labels")],
        scores=_scores(table(fields.get("scores", {}), f"{_WHERE}.scores")),
        tolerance=_tolerance(fields.get("tolerance", 1e-4)),
        latency=duration(text(fields, "latency", _WHERE, "100ms"), f"{_WHERE}.latency"),
        memory=mebibytes(fields, _WHERE, 64 * MIB),
        threads=integer(fields, "threads", _WHERE, 1, MAX_THREADS, 1),
    )


def _input(value: object, where: str) -> "tuple[Shape | None, tuple[float, float] | None]":
    """The shape and the range of one input: `[1, 32]`, "any", or a table of both."""
    if not isinstance(value, dict):
        return _shape(value, where), None
    fields = table(value, where)  # pyright: ignore[reportUnknownArgumentType]
    only(fields, ("shape", "range"), where)
    return _shape(fields.get("shape"), where), _range(fields["range"], where) if "range" in fields else None


def _shape(value: object, where: str) -> "Shape | None":
    if value == ANY:
        return None
    shape: Shape = []
    for each in items(value, where):
        is_size = isinstance(each, int) and not isinstance(each, bool) and each >= 0
        if not is_size and not (isinstance(each, str) and each):
            raise ProtocolError(f"{where}: a shape is a list of sizes; a name in place of a size takes any")
        shape.append(each)  # pyright: ignore[reportArgumentType]
    return shape


def _range(value: object, where: str) -> tuple[float, float]:
    bounds = items(value, f"{where}.range")
    numbers = [each for each in bounds if isinstance(each, (int, float)) and not isinstance(each, bool)]
    if len(bounds) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise ProtocolError(f"{where}.range: give the lowest and the highest value, as [0, 255]")
    return float(numbers[0]), float(numbers[1])


def _state(fields: dict[str, object], inputs: list[str]) -> dict[str, str]:
    state: dict[str, str] = {}
    for each in fields:
        if each not in inputs:
            raise ProtocolError(f"{_WHERE}.state.{each}: no such input; [inputs] has its shape, too")
        state[each] = text(fields, each, f"{_WHERE}.state")
    if len(state) == len(inputs):
        raise ProtocolError(f"{_WHERE}.state: it leaves no input for the function")
    return state


def _scores(fields: dict[str, object]) -> Scores:
    where = f"{_WHERE}.scores"
    only(fields, ("output", "activation"), where)
    activation = text(fields, "activation", where, "")
    if activation and activation not in ACTIVATIONS:
        raise ProtocolError(f"{where}.activation: {activation!r} is none of {', '.join(ACTIVATIONS)}")
    return Scores(text(fields, "output", where, ""), activation)


def _tolerance(value: object) -> Tolerance:
    where = f"{_WHERE}.tolerance"
    if not isinstance(value, dict):
        return Tolerance(_positive({"tolerance": value}, "tolerance", _WHERE, 1e-4))
    fields = table(value, where)  # pyright: ignore[reportUnknownArgumentType]
    only(fields, ("absolute", "relative", "labels"), where)
    labels = number(fields, "labels", where, 1.0) if "labels" in fields else None
    if labels is not None and not 0 < labels <= 1:
        raise ProtocolError(f"{where}.labels: a share above 0, at most 1")
    relative = number(fields, "relative", where, 0.0)
    if relative < 0:
        raise ProtocolError(f"{where}.relative: must not be below zero")
    return Tolerance(_positive(fields, "absolute", where, 1e-4), relative, labels)


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise ProtocolError(f"{_WHERE}.{key}: expected strings")
    return value


def _positive(fields: dict[str, object], key: str, where: str, default: float) -> float:
    value = number(fields, key, where, default)
    if not value > 0:
        raise ProtocolError(f"{where}.{key}: must be above zero")
    return value
