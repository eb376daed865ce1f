"""Counts the events, errors and ends of one instance of a function. It only counts."""

import time
from collections import Counter
from dataclasses import dataclass, field

from device.runtime.wire.messages import Failure, Result


@dataclass
class Tally:
    """The counts since the function's last switch; see FunctionHealth."""

    events: int = 0
    errors: int = 0
    timeouts: int = 0
    crashes: int = 0
    excused: int = 0
    restarts: int = 0
    runs: int = 0
    slow: int = 0
    deaths: Counter[str] = field(default_factory=Counter[str])
    last_error: str = ""
    # The time of the last error, in seconds of the monotonic clock.
    last_at: float = 0.0

    def outcome(self, outcome: Result | Failure) -> None:
        """An event came to this."""
        if isinstance(outcome, Failure):
            self.errors += 1
            self._error(outcome.text)
        else:
            self.runs += outcome.runs
            self.slow += outcome.slow

    def fell(self, what: str, detail: str, death: str, excused: bool) -> None:
        """The function's worker was lost, by a "timeout" or otherwise; `death` is the kind of its end."""
        self.excused += excused
        self.timeouts += what == "timeout"
        self.crashes += what != "timeout"
        # A new one, for another thread may be reading the old.
        self.deaths = self.deaths + Counter([death])
        self._error(f"{what}: {detail}")

    def _error(self, text: str) -> None:
        self.last_error, self.last_at = text, time.monotonic()
