"""Whether the agent's main loop still goes round, from what it says of itself. Pure; ending it is the launcher's.

An agent of an earlier version says nothing of the kind and is taken as alive: only one that has spoken, or that is of
the launcher's own version, can fall silent.
"""

from dataclasses import dataclass

# How often the agent says that it is alive, seconds.
PERIOD = 10.0
# Seconds of silence after which it hangs: nothing that its main loop does takes as long.
SILENT = 90.0
# Seconds that it may take to its first word: functions and models are loaded before, and boards are slow.
FIRST = 600.0


@dataclass
class Pulse:
    """Of one agent that was started at `began`; all times are of one monotonic clock, in seconds."""

    began: float
    speaks: bool
    last: float | None = None

    def beat(self, now: float) -> None:
        """It said that it is alive."""
        self.last = now

    def hangs(self, now: float) -> bool:
        """Whether it has been silent for too long."""
        if self.last is not None:
            return now - self.last > SILENT
        return self.speaks and now - self.began > FIRST
