"""Makes the presence model from nothing: `python -m models.presence.train`.

Simulates the windows, trains, exports, measures the exported file in the boards' runtime on windows with other seeds
and shifted ranges, and writes model.onnx, model.toml, golden.json and the figures in card.md. Takes under a minute on
two processors; everything is seeded, so one machine writes the same files each time.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from onnx import ModelProto
from onnx.reference import ReferenceEvaluator

from device.infer import files, session
from models.presence import card, evaluate, network, scenarios
from models.presence.light import READINGS, Array

HERE = Path(__file__).parent
CARD = "card.md"
WINDOWS = 16_000
EPOCHS = 40
TRAINING_SEED, HELD_OUT_SEED, SHIFTED_SEED, GOLDEN_SEED = 1, 2, 3, 4

MANIFEST = f"""\
# Written by models/presence/train.py.
name = "presence"
labels = ["absent", "present"]
# Golden outputs are probabilities; processors differ in the last bits of a float.
tolerance = 0.0001
latency = "20ms"
memory = "16M"

[inputs]
# The last {READINGS} readings in lux, oldest first, 0.1 to 0.2 s apart.
lux = [1, {READINGS}]
"""


def train(folder: Path, windows: int = WINDOWS, epochs: int = EPOCHS) -> None:
    """Train on about `windows` windows of each scenario for `epochs` passes; write the model's files into `folder`."""
    data = evaluate.dataset(TRAINING_SEED, windows, scenarios.TRAINING)
    model = network.to_onnx(network.fit(data.lux, data.present, TRAINING_SEED, epochs))
    (folder / files.MODEL).write_bytes(model.SerializeToString(deterministic=True))
    (folder / files.MANIFEST).write_text(MANIFEST)
    (folder / files.GOLDEN).write_text(json.dumps({"vectors": golden_vectors(model)}, indent=1) + "\n")


def report(folder: Path, windows: int) -> str:
    """The figures of the model in `folder` as Markdown, on about `windows` new windows of each scenario."""
    presence = deployed(folder)
    return card.figures(
        evaluate.measure(presence, evaluate.dataset(HELD_OUT_SEED, windows, scenarios.TRAINING)),
        evaluate.measure(presence, evaluate.dataset(SHIFTED_SEED, windows, scenarios.SHIFTED)),
        _share_present(
            presence, scenarios.windows(scenarios.only_lamp_off, HELD_OUT_SEED, windows, scenarios.TRAINING)
        ),
    )


def deployed(folder: Path) -> evaluate.Presence:
    """The model in `folder` as a function, run as a board runs it."""
    model = session.load(folder, files.read_manifest(folder))
    return lambda window: model.run(window.tolist()).value


def golden_vectors(model: ModelProto) -> list[dict[str, object]]:
    """Windows of every kind with the outputs, by ONNX's reference implementation: not by what they will test."""
    reference = ReferenceEvaluator(model)
    return [_vector(reference, window) for window in _golden_windows()]


def _golden_windows() -> list[Array]:
    every = {**scenarios.ABSENT, **scenarios.PRESENT}
    chosen = (
        "dark",
        "lamp light",
        "clouds",
        "lamp goes off",
        "headlights",
        "passing",
        "lingering",
        "covering",
        "waving",
    )
    typical = [scenarios.windows(every[name], GOLDEN_SEED, 1, scenarios.TRAINING)[0] for name in chosen]
    covered_just_now = np.full(READINGS, 400.0)
    covered_just_now[-1] = 4.0
    edges = [np.zeros(READINGS), np.full(READINGS, 40_000.0), np.full(READINGS, 400.0), covered_just_now]
    return [*typical, *edges]


def _vector(reference: ReferenceEvaluator, window: Array) -> dict[str, object]:
    lux = np.round(window, 2).astype(np.float32).reshape(1, READINGS)
    # Its sigmoid computes both of its branches, and one of them overflows.
    with np.errstate(over="ignore", invalid="ignore"):
        (presence,) = reference.run(None, {"lux": lux})
    return {"inputs": {"lux": [[round(float(v), 2) for v in lux[0]]]}, "outputs": {"presence": presence.tolist()}}


def _share_present(presence: evaluate.Presence, windows: Array) -> float:
    return float(np.mean([presence(window) >= evaluate.THRESHOLD for window in windows]))


def main() -> None:
    """Train the committed model anew, print its figures and put them into its card."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    train(HERE)
    found = report(HERE, WINDOWS // 8)
    text = (HERE / CARD).read_text()
    (HERE / CARD).write_text(card.with_figures(text, found))
    print(found)  # noqa: T201


if __name__ == "__main__":
    main()
