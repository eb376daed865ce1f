"""Inference in a function, against bare onnxruntime in the same process.

Ours is `context.models["presence"].run(window)` with a list of 32 numbers, as an event carries it, inside a handler
in its worker: it checks and converts the list, runs, and returns scores with their labels. The reference is
`session.run(None, {"lux": array})` with an array made beforehand, in the same handler, in a session of the same file
with the same options (one thread, no spinning), so that neither memory limits nor the confinement differ. The
reference does less, which makes the comparison a hard one for ours.
"""

from pathlib import Path
from typing import Any

from device.runtime.supervisor import Supervisor
from tests.bench import board, installed
from tests.bench.figures import Figure, spread
from tests.bench.sampling import in_turn, processors

GOAL = 1.2
_MODEL = Path(__file__).parents[2] / "models" / "presence"
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
    model = context.models["presence"]
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


def measure(quick: bool) -> list[Figure]:
    """On one processor, where a board's single-threaded session is most of the time anyway."""
    rounds, batch = (2, 50) if quick else (31, 2000)
    presence = installed.model(_MODEL)
    config = {"path": str(_MODEL / "model.onnx")}
    with processors(pinned=True), board.running("infer", _CODE, config, {"presence": presence}) as supervisor:
        for side in ("ours", "reference"):
            _mean(supervisor, side, batch)
        ours, reference = in_turn(
            lambda: _mean(supervisor, "ours", batch),
            lambda: _mean(supervisor, "reference", batch),
            rounds,
        )
    return [
        Figure(
            "inference in a function (presence)",
            "µs",
            spread(ours, 1e6),
            spread(reference, 1e6),
            "onnxruntime's session.run in the same process",
            GOAL,
            pinned=True,
        )
    ]


def _mean(supervisor: Supervisor, side: str, batch: int) -> float:
    answer: Any = supervisor.call("infer", {"side": side, "batch": batch})
    return answer
