"""How good a presence model is: figures on windows that it has not been trained on.

The model is given as a function, so that what is measured can be the deployed file in the board's own runtime.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, precision_score, recall_score, roc_auc_score

from models.presence import scenarios
from models.presence.light import Array
from models.presence.scenarios import ABSENT, PRESENT, Ranges

Presence = Callable[[Array], float]
"""From one window of lux readings, [32], to the probability that someone is there."""

THRESHOLD = 0.5
LEVELS = ((0.0, 3.0), (3.0, 30.0), (30.0, np.inf))
"""Bands of a window's median light, in lux, for which the accuracy is given apart."""


@dataclass(frozen=True)
class Labelled:
    """Windows of lux, [windows, 32], whether someone is there, and which scenario each is of."""

    lux: Array
    present: NDArray[np.bool_]
    scenario: NDArray[np.str_]


@dataclass(frozen=True)
class Figures:
    """`by_scenario` is the share of windows called present, `by_level` the accuracy in each band of LEVELS."""

    accuracy: float
    precision: float
    recall: float
    roc_auc: float
    by_scenario: Mapping[str, float]
    by_level: tuple[float, ...]


def dataset(seed: int, count: int, ranges: Ranges) -> Labelled:
    """About `count` windows of each scenario, with as many windows of presence as of absence."""
    larger = round(count * len(ABSENT) / len(PRESENT))
    parts = [(name, scenario, count, False) for name, scenario in ABSENT.items()]
    parts += [(name, scenario, larger, True) for name, scenario in PRESENT.items()]
    return Labelled(
        np.vstack([scenarios.windows(s, _seed(seed, i), n, ranges) for i, (_, s, n, _) in enumerate(parts)]),
        np.concatenate([np.full(n, present) for _, _, n, present in parts]),
        np.concatenate([np.full(n, name) for name, _, n, _ in parts]),
    )


def _seed(seed: int, scenario: int) -> int:
    return seed * 1000 + scenario


def measure(presence: Presence, data: Labelled) -> Figures:
    """The figures of a model on `data`, at a threshold of THRESHOLD."""
    probability = np.array([presence(window) for window in data.lux])
    said = probability >= THRESHOLD
    middle = np.median(data.lux, axis=1)
    bands = [(middle >= low) & (middle < high) for low, high in LEVELS]
    return Figures(
        accuracy=accuracy_score(data.present, said),
        precision=precision_score(data.present, said),
        recall=recall_score(data.present, said),
        roc_auc=roc_auc_score(data.present, probability),
        by_scenario={name: float(said[data.scenario == name].mean()) for name in [*ABSENT, *PRESENT]},
        by_level=tuple(float((said == data.present)[band].mean()) for band in bands),
    )
