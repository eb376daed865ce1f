"""Whether the agent's main loop still goes round, by its own reports. Pure; ending it is the launcher's.

An agent of an earlier version may be silent from the start and is taken as alive: only one that has spoken, or is of
the launcher's own version, can fall silent.
"""

from dataclasses import dataclass

# How often the agent says it is alive, seconds.
PERIOD = 10.0
# After so many seconds of silence it hangs: every step of its main loop is shorter.
SILENT = 90.0
# Seconds until its first word: functions and models are loaded before, and boards are slow.
FIRST = 600.0


@dataclass
class Pulse:
    """The pulse of one agent, started at `began`; all times are of one monotonic clock, in seconds."""

    began: float
    speaks: bool
    last: float | None = None

    def beat(self, now: float) -> None:
        """It said it is alive."""
        self.last = now

    def hangs(self, now: float) -> bool:
        """Whether it has been silent for too long."""
        if self.last is not None:
            return now - self.last > SILENT
        return self.speaks and now - self.began > FIRST
