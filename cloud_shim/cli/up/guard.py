"""Restarts a child after its death, gives up on one that keeps dying, and keeps each one's log small.

Other starts and stops are home.py's.
"""

from collections.abc import Callable, Sequence

from cloud_shim.cli.up import logs
from cloud_shim.cli.up.process import Process
from device.errors import LamplightError

LIMIT = 5
WINDOW = 60.0


class Guard:
    """Watches over `children`. A child with more than LIMIT deaths within WINDOW seconds is given up."""

    def __init__(self, children: Sequence[Process], say: Callable[[LamplightError], None]) -> None:
        self._children = children
        self._say = say
        self._deaths: dict[str, list[float]] = {}

    def look(self, now: float) -> None:
        """Restart the dead children, telling why; `now` is monotonic. Raises LamplightError to give up."""
        for child in self._children:
            logs.bound(child.log)
            if not child.running:
                self._restart(child, now)

    def _restart(self, child: Process, now: float) -> None:
        deaths = [each for each in self._deaths.get(child.name, []) if now - each < WINDOW]
        self._deaths[child.name] = [*deaths, now]
        if len(deaths) >= LIMIT:
            raise child.failure(f"has died {LIMIT + 1} times within {WINDOW:g} s")
        self._say(child.failure(f"died (exit code {child.exit_code}) and is started again"))
        child.kill()  # ends the processes it left running
        child.start()
