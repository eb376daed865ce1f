"""Where an installation goes: this machine, or one that OpenSSH leads to. What is installed is installation.py's."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

# Bytes sent, bytes in all.
Progress = Callable[[int, int], None]
# What of a failing command's output is shown.
LAST = 700


class Target(Protocol):
    """A running machine."""

    @property
    def title(self) -> str:
        """How people call it."""
        ...

    def ask(self, script: str) -> str:
        """What the shell script prints there, run as whoever logs in. LamplightError when it cannot be run."""
        ...

    def run(self, files: Mapping[str, bytes], script: str, root: bool, progress: Progress) -> None:
        """Bring `files` to a folder there that only its owner can read, run `script` of them as root, remove it.

        `root`: no sudo is needed. LamplightError with the script's last words when it fails.
        """
        ...


def sudo(root: bool) -> Sequence[str]:
    """What makes a command root's: sudo asks at the terminal, where there is one, and else fails at once."""
    if root:
        return []
    return ["sudo"] if at_terminal() else ["sudo", "-n"]


def at_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and os.isatty(2)
