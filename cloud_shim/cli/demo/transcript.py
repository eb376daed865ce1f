"""A sequence of steps as a transcript: the name of each, its time, and whether it held. The steps are steps.py's."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloud_shim.cli.terminal import Terminal
from device.errors import LamplightError


@dataclass(frozen=True)
class Step:
    """`what` it shows; `act` does it, gives a remark or "", and raises LamplightError when it fails."""

    what: str
    act: Callable[[], str]


def perform(steps: Sequence[Step], terminal: Terminal) -> None:
    """Do the steps in order and show each. LamplightError names the first failed one; the rest is left untried."""
    width = max(len(each.what) for each in steps)
    for number, step in enumerate(steps, 1):
        title = f"{number:2}  {step.what:<{width}}"
        terminal.transient(f"{title}  …")
        started = time.monotonic()
        try:
            remark = step.act()
        except LamplightError as error:
            _show(terminal, number, step, title, False, time.monotonic() - started, error.what)
            raise LamplightError(f"Step {number} failed: {step.what}", str(error)) from error
        _show(terminal, number, step, title, True, time.monotonic() - started, remark)


def _show(terminal: Terminal, number: int, step: Step, title: str, held: bool, seconds: float, remark: str) -> None:
    mark = ("✓", "bold green") if held else ("✗", "bold red")
    terminal.data(
        {"step": number, "what": step.what, "ok": held, "seconds": round(seconds, 3), "remark": remark},
        [(f"{title}  ", ""), mark, (f" {seconds:6.2f} s", ""), (f"  {remark}", "dim")],
    )
