"""A figure: what ours costs, what the reference costs, and how the two were spread. Pure values.

Every figure is a cost (a time or a memory), so a smaller ratio is always better and a goal is the most a ratio should
be.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The samples of one side, in the figure's unit."""

    least: float
    median: float
    most: float


@dataclass(frozen=True)
class Figure:
    """One row of the table. `goal` is the most that `ratio` should be, None where none is set.

    `pinned` tells whether everything measured was kept on one processor.
    """

    name: str
    unit: str
    ours: Spread
    reference: Spread
    against: str
    goal: float | None = None
    pinned: bool = False

    @property
    def ratio(self) -> float:
        """Ours over the reference, of the medians."""
        return self.ours.median / self.reference.median

    @property
    def verdict(self) -> str:
        """In words for the table."""
        if self.goal is None:
            return "no goal"
        return "met" if self.ratio <= self.goal else "missed"

    def document(self) -> dict[str, object]:
        """As it stands in bench.json."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": self.ours.median,
            "reference": self.reference.median,
            "ratio": self.ratio,
            "goal": self.goal,
            "pinned": self.pinned,
        }


def spread(samples: Sequence[float], scale: float = 1.0) -> Spread:
    """The spread of `samples`, each multiplied by `scale` (from seconds to the figure's unit, say)."""
    return Spread(min(samples) * scale, statistics.median(samples) * scale, max(samples) * scale)
