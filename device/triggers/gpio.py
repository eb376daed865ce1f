"""The gpio trigger: an event for each lasting edge of an input pin.

One thread for each pin, shared by all its functions; each debounces by its own period. hal sees the edges.
"""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from device.errors import LamplightError
from device.protocol.triggers import GpioTrigger as Declared
from device.triggers.delivery import Deliver

if TYPE_CHECKING:
    from device.hal.edges import Edges

# An unwatchable pin is tried again this often; an idle thread looks for its end as often. In seconds.
RETRY = 1.0
LOOK = 0.25


class Debounce:
    """Tells a change of level once it has lasted `period` seconds. Pure."""

    def __init__(self, period: float, level: bool) -> None:
        self._period = period
        self._told = level
        self._level = level
        self._since = 0.0

    def edge(self, level: bool, at: float) -> None:
        """The level changed at `at`."""
        self._level, self._since = level, at

    def due(self, now: float) -> bool | None:
        """The new level, if one has lasted by now and is still untold."""
        if self._level == self._told or now - self._since < self._period:
            return None
        self._told = self._level
        return self._told

    def patience(self, now: float) -> float | None:
        """Seconds until a level has lasted; None when the level is as told."""
        return None if self._level == self._told else max(0.0, self._since + self._period - now)


class GpioTrigger:
    """Delivers a pin's lasting edges, until closed."""

    def __init__(self, watcher: "PinWatcher", declared: Declared, deliver: Deliver) -> None:
        self._watcher = watcher
        self._declared = declared
        self._deliver = deliver
        self.debounce = Debounce(declared.debounce, level=False)

    def begin(self, level: bool) -> None:
        """The pin is watched from now on. A change of level from before is left out."""
        self.debounce = Debounce(self._declared.debounce, level)

    def tell(self, level: bool) -> None:
        """A level has lasted."""
        edge = "rising" if level else "falling"
        if self._declared.edge in (edge, "both"):
            pin = self._declared.pin
            self._deliver(f"gpio/{pin}", f"lamplight.gpio.{edge}", {"pin": pin, "value": level}, pin)

    @property
    def fault(self) -> LamplightError | None:
        """The reason for an unwatched pin; None while it is watched."""
        return self._watcher.fault

    def close(self) -> None:
        """Deliver no more."""
        self._watcher.leave(self)


class PinWatcher:
    """Watches one pin while somebody wants it; then lets go of it, for others may lease it."""

    def __init__(self, pin: str, pull: str, watch: "Callable[[str, str], Edges]") -> None:
        self._pin = pin
        self._pull = pull
        self._watch = watch
        self._lock = threading.Lock()
        self._triggers: list[GpioTrigger] = []
        self.fault: LamplightError | None = self._not_yet()
        # While the pin is watched.
        self._level: bool | None = None
        self._left = threading.Event()
        self._begun = threading.Event()
        self._thread: threading.Thread | None = None

    def join(self, trigger: GpioTrigger) -> None:
        """Watch for this one too; returns when the pin is watched, or the first attempt has failed."""
        with self._lock:
            self._triggers.append(trigger)
            if self._level is not None:
                trigger.begin(self._level)
            if self._thread is None:
                self._left, self._begun = threading.Event(), threading.Event()
                self.fault = self._not_yet()
                run = threading.Thread(target=self._run, args=(self._left,), name=f"pin {self._pin}", daemon=True)
                self._thread = run
                run.start()
        self._begun.wait(RETRY)

    def leave(self, trigger: GpioTrigger) -> None:
        """Stop watching for this one."""
        with self._lock:
            if trigger in self._triggers:
                self._triggers.remove(trigger)
            last, self._thread = (self._thread, None) if not self._triggers else (None, self._thread)
        if last:
            self._left.set()
            last.join()

    def _run(self, left: threading.Event) -> None:
        while not left.is_set():
            try:
                edges = self._watch(self._pin, self._pull)
                try:
                    self._follow(edges, left)
                finally:
                    self._level = None
                    edges.close()
            except Exception as error:
                # After any error of a driver, the pin may be free again later.
                self.fault = error if isinstance(error, LamplightError) else self._unwatched(repr(error))
                self._begun.set()
                left.wait(RETRY)

    def _follow(self, edges: "Edges", left: threading.Event) -> None:
        with self._lock:
            self._level = edges.level
            for each in self._triggers:
                each.begin(self._level)
        self.fault = None
        self._begun.set()
        while not left.is_set():
            for edge in edges.wait(self._patience()):
                with self._lock:
                    self._level = edge.level
                    for each in self._triggers:
                        each.debounce.edge(edge.level, edge.at)
            self._tell_due()

    def _tell_due(self) -> None:
        now = time.monotonic()
        for each in self._here():
            if (lasting := each.debounce.due(now)) is not None:
                each.tell(lasting)

    def _patience(self) -> float:
        now = time.monotonic()
        times = [each.debounce.patience(now) for each in self._here()]
        return min([LOOK, *(each for each in times if each is not None)])

    def _here(self) -> list[GpioTrigger]:
        with self._lock:
            return list(self._triggers)

    def _not_yet(self) -> LamplightError:
        return self._unwatched("its driver has not answered")

    def _unwatched(self, why: str) -> LamplightError:
        return LamplightError(f"the pin {self._pin!r} cannot be watched", why, "`lamplight doctor` looks at the pins")


class PinHub:
    """A watcher for each pin and pull. `watch` gives the edges of a pin."""

    def __init__(self, watch: "Callable[[str, str], Edges]") -> None:
        self._watch = watch
        self._watchers: dict[tuple[str, str], PinWatcher] = {}

    def trigger(self, declared: Declared, deliver: Deliver) -> GpioTrigger:
        """A trigger on its pin; leases have made sure of the pin."""
        key = (declared.pin, declared.pull)
        watcher = self._watchers.setdefault(key, PinWatcher(*key, self._watch))
        trigger = GpioTrigger(watcher, declared, deliver)
        watcher.join(trigger)
        return trigger
