"""The shim's repeated work in the background: each chore on its own period, on one thread.

The chores come from the caller. One that fails is logged and comes again.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chore:
    """Do `work` every so many seconds; for the first time one period after the start."""

    every: float
    work: Callable[[], object]


class Chores:
    """The thread of the chores, from `start` to `close`."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._chores = chores
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Stop; returns when the present chore is done."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        due = {number: time.monotonic() + chore.every for number, chore in enumerate(self._chores)}
        while not self._stopping.wait(max(0.0, min(due.values()) - time.monotonic())):
            number = min(due, key=lambda each: due[each])
            _do(self._chores[number])
            due[number] = time.monotonic() + self._chores[number].every


def _do(chore: Chore) -> None:
    try:
        chore.work()
    except Exception:
        logger.exception("a chore failed")
