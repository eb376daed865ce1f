"""Where a replayed decision differs from the recorded one. Pure."""

import math
from collections.abc import Mapping
from typing import cast

from device.replay.player import Outcome
from device.runtime.journal import brief

# Of a number in a result: another processor's inference library rounds otherwise.
TOLERANCE = 1e-6
_TIMEOUT = "timeout:"
# After so many events in a row with the same error, unlike on the board, the others would only repeat it.
MOST_SAME = 10


class Repeated:
    """Whether a replay says the same error again and again."""

    def __init__(self) -> None:
        self._error = ""
        self._times = 0

    def is_enough(self, outcome: Outcome) -> bool:
        """Whether `outcome`, the next, is the last one worth showing."""
        error = _first(outcome.error)
        if not error or error == _first(outcome.step.error):
            self._error, self._times = "", 0
            return False
        self._times = self._times + 1 if error == self._error else 1
        self._error = error
        return self._times >= MOST_SAME


def differences(outcome: Outcome) -> list[str]:
    """One line for each difference from the record; empty for the same decision."""
    step = outcome.step
    if step.error or outcome.error:
        return _errors(_first(step.error), _first(outcome.error))
    found = [
        f"{name}: recorded {_level(step.pins.get(name))}, now {_level(level)}"
        for name, level in outcome.pins.items()
        if step.pins.get(name) != level
    ]
    result = brief(outcome.result)
    if not same(step.result, result):
        found.append(f"result: recorded {step.result!r}, now {result!r}")
    return found


def same(one: object, other: object) -> bool:
    """Whether two JSON values are the same, numbers within TOLERANCE of each other."""
    if isinstance(one, dict) and isinstance(other, Mapping):
        mine, theirs = cast("dict[str, object]", one), cast("Mapping[str, object]", other)
        return mine.keys() == theirs.keys() and all(same(mine[key], theirs[key]) for key in mine)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        ours, others = cast("list[object]", one), cast("list[object]", other)
        return len(ours) == len(others) and all(map(same, ours, others))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return one == other


def _errors(recorded: str, now: str) -> list[str]:
    if recorded == now or (recorded.startswith(_TIMEOUT) and now.startswith(_TIMEOUT)):
        return []
    return [
        f"recorded {f'failed: {recorded}' if recorded else 'handled'}, now {f'failed: {now}' if now else 'handled'}"
    ]


def _first(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _level(level: bool | None) -> str:
    return {True: "on", False: "off", None: "not driven"}[level]
