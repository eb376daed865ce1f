"""The functions as the agent says: those held back, and the triggers that deliver nothing. It starts none itself."""

from collections.abc import Mapping
from pathlib import Path

from device import faults
from device.doctor.check import Finding, fail, ok, skip
from device.health import TriggerFault

_HELD = "Correct the cause and restart the agent, or deploy a version that can run here"
_LOG = "`lamplight logs` says when it began; the agent tries again by itself"


def triggers(state: Path, agent_runs: bool) -> Finding | Mapping[str, Finding]:
    """A finding for each function, or one for all of them."""
    if not agent_runs:
        return skip("no agent runs, and so no trigger does")
    try:
        found = faults.read(state)
    except FileNotFoundError:
        return skip("the agent has not told of any function yet")
    return {name: judge(each) for name, each in found.items()} or ok("no function runs")


def judge(broken: tuple[TriggerFault, ...] | str) -> Finding:
    """The silent triggers of one function, which deliver nothing; or the reason for which it is held back."""
    if isinstance(broken, str):
        return fail(f"the function does not run: {broken}", _HELD)
    if not broken:
        return ok("all of its triggers deliver")
    told = "; ".join(f"{each.trigger} does not work: {each.error}" for each in broken)
    remedies = dict.fromkeys(each.remedy for each in broken if each.remedy)
    return fail(told, ". ".join(remedies) or _LOG)
