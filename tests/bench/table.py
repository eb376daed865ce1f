"""Figures as a table: in columns for a terminal, in Markdown for docs/performance.md."""

from collections.abc import Sequence
from itertools import starmap

from tests.bench.figures import Figure, Spread

_HEADINGS = ("figure", "unit", "ours", "(least–most)", "reference", "(least–most)", "ratio", "goal", "", "reference is")


def plain(figures: Sequence[Figure]) -> str:
    """For a terminal."""
    rows = [_HEADINGS, *map(_cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(starmap(str.ljust, zip(row, widths, strict=True))).rstrip() for row in rows)


def markdown(figures: Sequence[Figure]) -> str:
    """For a page."""
    rows = [_HEADINGS, ["---"] * len(_HEADINGS), *map(_cells, figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name + (", one processor" if figure.pinned else ""),
        figure.unit,
        _number(figure.ours.median),
        _range(figure.ours),
        _number(figure.reference.median),
        _range(figure.reference),
        _number(figure.ratio),
        "–" if figure.goal is None else f"≤ {_number(figure.goal)}",
        figure.verdict,
        figure.against,
    )


def _range(spread: Spread) -> str:
    return f"({_number(spread.least)}–{_number(spread.most)})"


def _number(value: float) -> str:
    """Three digits are more than a noisy machine can tell."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
