"""Install a card's content on a running machine, upgrade it, or take it off again: by the same scripts as a card.

The machine is asked and judged first, then the libraries are fetched. The step that may end an earlier identity comes
last. How files and commands get there is the target's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import boards
from device.errors import RejectedError, UsageError
from flashing import agent, survey
from flashing.survey import Machine
from flashing.targets import Progress, Target

# For the device and the board of these names: the files of its identity, by install.sh's names for them.
Identify = Callable[[str, str], Mapping[str, bytes]]


@dataclass(frozen=True)
class Wish:
    """A person's wishes for the machine: the board ("" as detected), the device's name ("" for its present one), and
    whether it gets an identity anew though it has one.
    """

    board: str
    device: str
    again: bool


@dataclass(frozen=True)
class Outcome:
    """The result: the board, the device, and whether a Lamplight was there before."""

    board: str
    device: str
    upgraded: bool


def install(target: Target, wish: Wish, identify: Identify, say: Callable[[str], None], progress: Progress) -> Outcome:
    """Install on `target`, or upgrade the agent there. Raises LamplightError; an earlier agent runs on then."""
    machine = survey.parse(target.ask(survey.SCRIPT))
    known = [boards.load(each) for each in boards.names()]
    board = survey.board(machine, wish.board, known)
    survey.check(machine)
    new = _needs_identity(machine, wish, target.title)
    files = {**agent.archives(board.machine, [machine.python], say), **agent.own_files()}
    device = wish.device or machine.device
    if new:
        files |= identify(device, board.name)
    say(f"Installing on {target.title}")
    target.run(files, "install.sh", machine.root, progress)
    return Outcome(board.name, device, machine.installed)


def remove(target: Target, progress: Progress) -> str:
    """Take the agent off `target`; gives the device's name, "" for a machine without one.

    The remains of a cut installation go too. RejectedError when the machine has neither.
    """
    machine = survey.parse(target.ask(survey.SCRIPT))
    survey.check_rights(machine)
    if not machine.installed:
        raise RejectedError(f"There is no Lamplight on {target.title}", "nothing of it was installed")
    target.run({"remove.sh": agent.own_files()["remove.sh"]}, "remove.sh", machine.root, progress)
    return machine.device


def _needs_identity(machine: Machine, wish: Wish, title: str) -> bool:
    """Whether the device must be made known; in an upgrade it keeps its identity."""
    if not machine.device and not wish.device:
        raise UsageError(f"How shall the device be called that {title} becomes?", "", "--name NAME")
    if machine.device and wish.device not in ("", machine.device) and not wish.again:
        raise RejectedError(
            f"{title} is the device {machine.device}",
            f"it would become {wish.device}",
            "leave --name out to upgrade it, or --again",
        )
    return wish.again or not machine.device
