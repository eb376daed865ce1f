"""Inference in a function, against bare onnxruntime in the same process: of a tiny model and of a larger one.

Ours is `context.models["presence"].run(window)` with a list of 32 numbers, as an event carries it, inside a handler
in its worker: it checks and converts the list, runs, and returns scores with their labels. The reference is
`session.run(None, {"lux": array})` with an array made beforehand, in the same handler, in a session of the same file
with the same options (one thread, no spinning), so that neither memory limits nor the confinement differ. The
reference does less, which makes the comparison a hard one for ours.
"""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from device.runtime.supervisor import Supervisor
from tests.bench import board, installed, larger_model
from tests.bench.figures import Figure, spread
from tests.bench.sampling import in_turn, processors

_PRESENCE = Path(__file__).parents[2] / "models" / "presence"
_CODE = '''
import time

import numpy
from device.infer import ort

WINDOW = [100.0 + step for step in range(32)]
ARRAY = numpy.array([WINDOW], numpy.float32)
session = None


def handler(event, context):
    """The mean time of one run, in seconds, over a batch, on the side that the caller names."""
    global session
    (model,) = context.models.values()
    session = session or ort.open_session(context.config["path"])
    actions = {
        "ours": lambda: model.run(WINDOW),
        "reference": lambda: session.run(None, {"lux": ARRAY}),
    }
    action = actions[event.data["side"]]
    started = time.perf_counter()
    for _ in range(event.data["batch"]):
        action()
    return (time.perf_counter() - started) / event.data["batch"]
'''


class _Subject(NamedTuple):
    """A model to measure: how often in a row, in which unit, and the most that ours may cost."""

    name: str
    folder: Path
    batch: int
    unit: str
    scale: float
    goal: float


def measure(quick: bool) -> list[Figure]:
    """On one processor, where a board's single-threaded session is most of the time anyway."""
    with tempfile.TemporaryDirectory(prefix="lamplight-bench-") as temporary:
        larger = larger_model.write(Path(temporary) / "larger")
        subjects = (
            _Subject("presence", _PRESENCE, 50 if quick else 2000, "µs", 1e6, 1.2),
            _Subject("a dozen convolutions", larger, 1 if quick else 20, "ms", 1e3, 1.02),
        )
        return [_figure(each, 2 if quick else 31) for each in subjects]


def _figure(subject: _Subject, rounds: int) -> Figure:
    model = installed.model(subject.folder)
    config = {"path": str(subject.folder / "model.onnx")}
    with processors(pinned=True), board.running("infer", _CODE, config, {model.name: model}) as supervisor:
        for side in ("ours", "reference"):
            _mean(supervisor, side, subject.batch)
        ours, reference = in_turn(
            lambda: _mean(supervisor, "ours", subject.batch),
            lambda: _mean(supervisor, "reference", subject.batch),
            rounds,
        )
    return Figure(
        f"inference in a function ({subject.name})",
        subject.unit,
        spread(ours, subject.scale),
        spread(reference, subject.scale),
        "onnxruntime's session.run in the same process",
        subject.goal,
        pinned=True,
    )


def _mean(supervisor: Supervisor, side: str, batch: int) -> float:
    answer: Any = supervisor.call("infer", {"side": side, "batch": batch})
    return answer
