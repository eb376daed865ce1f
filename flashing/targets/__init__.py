"""The place of an installation: this machine, or one reached by OpenSSH. The content installed is installation.py's."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

# Bytes sent, bytes in all.
Progress = Callable[[int, int], None]
# How much of a failing command's output is shown, in characters.
LAST = 700


class Target(Protocol):
    """A running machine."""

    @property
    def title(self) -> str:
        """How people call it."""
        ...

    def ask(self, script: str) -> str:
        """The output of the shell script there, run as the user logged in. LamplightError when it cannot be run."""
        ...

    def run(self, files: Mapping[str, bytes], script: str, root: bool, progress: Progress) -> None:
        """Bring `files` to a folder there readable by its owner only, run `script` of them as root, remove it.

        `root`: sudo is unnecessary. LamplightError with the script's last words when it fails.
        """
        ...


def sudo(root: bool) -> Sequence[str]:
    """The words that make a command root's: sudo asks at the terminal, or fails at once if it is missing."""
    if root:
        return []
    return ["sudo"] if at_terminal() else ["sudo", "-n"]


def at_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and os.isatty(2)
