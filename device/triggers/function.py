"""The function trigger: an event for each result of another function of the board.

Only results of events count. Those of calls and of HTTP requests belong to the caller. chains.py keeps functions from
waiting for themselves.
"""

import threading
from collections.abc import Mapping
from typing import Any, cast

from device.triggers.delivery import Deliver


class FunctionTrigger:
    """Delivers the results of `function`, until closed."""

    def __init__(self, hub: "ResultHub", function: str, deliver: Deliver) -> None:
        self._hub = hub
        self.function = function
        self._deliver = deliver

    def take(self, decision: Mapping[str, object]) -> None:
        """A decision of the function, as its record tells of it."""
        data = {name: decision.get(name) for name in ("function", "version", "event", "result")}
        given = cast("dict[str, Any]", decision["given"])
        # A result names nobody, but counts.
        trail = ("",) * (given.get("hops", 0) + 1)
        self._deliver(f"function/{self.function}", "lamplight.function.result", data, self.function, trail)

    @property
    def fault(self) -> None:
        """Always None: chains.py has found the other function."""

    def close(self) -> None:
        """Deliver no more."""
        self._hub.leave(self)


class ResultHub:
    """The triggers that wait for results, by function."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._triggers: list[FunctionTrigger] = []

    def trigger(self, function: str, deliver: Deliver) -> FunctionTrigger:
        """A trigger on the results of `function`."""
        trigger = FunctionTrigger(self, function, deliver)
        with self._lock:
            self._triggers.append(trigger)
        return trigger

    def leave(self, trigger: FunctionTrigger) -> None:
        """Take this one off the list."""
        with self._lock:
            if trigger in self._triggers:
                self._triggers.remove(trigger)

    def decided(self, decision: Mapping[str, object]) -> None:
        """Hand out a function's result and return at once.

        `decision` has the fields of its record (docs/protocol/records.md).
        """
        with self._lock:
            waiting = [each for each in self._triggers if each.function == decision.get("function")]
        for each in waiting:
            each.take(decision)
