"""The measured figures as they stand in the model's card: written between two marks, and read back by the tests."""

import re

from models.presence.evaluate import LEVELS, Figures
from models.presence.scenarios import ABSENT, PRESENT

BEGIN = "<!-- figures, written by train.py: begin -->"
END = "<!-- figures: end -->"


def figures(held_out: Figures, shifted: Figures, only_lamp_off: float) -> str:
    """The figures as Markdown tables; `only_lamp_off` is the share of those windows called present."""
    return "\n".join(
        [
            "| | same ranges, other seeds | shifted ranges |",
            "| --- | --- | --- |",
            *(_row(name, getattr(held_out, field), getattr(shifted, field)) for name, field in _SUMMARY.items()),
            *(_row(f"accuracy, {_band(*band)}", a, b) for band, a, b in _by_level(held_out, shifted)),
            "",
            "Share of windows called *present*:",
            "",
            "| scenario | someone is there | same ranges, other seeds | shifted ranges |",
            "| --- | --- | --- | --- |",
            *(_row(f"{n} | no", held_out.by_scenario[n], shifted.by_scenario[n]) for n in ABSENT),
            *(_row(f"{n} | yes", held_out.by_scenario[n], shifted.by_scenario[n]) for n in PRESENT),
            "",
            f"The only lamp of a room going off, not among these windows: called present in {only_lamp_off:.3f}.",
        ]
    )


_SUMMARY = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "ROC AUC": "roc_auc"}


def with_figures(text: str, new: str) -> str:
    """The card `text` with `new` between its marks; raises ValueError when it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the card holds no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{new}\n{END}{after}"


def stated(text: str) -> dict[str, tuple[float, float]]:
    """The figures in the card `text`: each row's name with its value for the same and for shifted ranges."""
    inside = text.partition(BEGIN)[2].partition(END)[0]
    rows = re.findall(r"^\| ([^|]+?) \|(?: (?:yes|no) \|)? ([01]\.\d+) \| ([01]\.\d+) \|$", inside, re.MULTILINE)
    return {name: (float(same), float(shifted)) for name, same, shifted in rows}


def _row(name: str, same: float, shifted: float) -> str:
    return f"| {name} | {same:.3f} | {shifted:.3f} |"


def _by_level(held_out: Figures, shifted: Figures) -> list[tuple[tuple[float, float], float, float]]:
    return list(zip(LEVELS, held_out.by_level, shifted.by_level, strict=True))


def _band(low: float, high: float) -> str:
    return f"{low:g} lux and more" if high == float("inf") else f"{low:g} to {high:g} lux"
