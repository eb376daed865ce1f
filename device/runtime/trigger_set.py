"""Connects triggers with the functions they feed.

A trigger declared alike by the old and the new version goes on undisturbed, with its phase and its window; the others
are replaced. A failing trigger shows in the function's health, and the health decides about a trial. device/triggers
holds the triggers themselves.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from device.errors import LamplightError, RejectedError, about
from device.generation import InstalledFunction
from device.health import IMPAIRED, RUNNING, FunctionHealth, TriggerFault
from device.protocol.triggers import StartTrigger, Trigger
from device.triggers import RunningTrigger, Sources, check, make
from device.triggers.delivery import NOTHING_MORE, Ask, Asked, Deliver

# In seconds: between two tries to start a failed trigger, and between two looks at all.
RETRY = 5.0
LOOK = 1.0

# A line of the function's log: level and text.
Note = Callable[[str, str], None]


class Receiver(Protocol):
    """The taker of a function's events: its dispatcher."""

    def offer(self, source: str, type: str, data: object, *, subject: str = "", trail: tuple[str, ...] = ()) -> None:
        """Queue an event and return at once."""
        ...

    def call(self, data: object, source: str, type: str, subject: str, asked: Asked) -> object:
        """The handler's result."""
        ...

    def note(self, level: str, text: str) -> None:
        """A line about the function, by the runtime."""
        ...


class TriggerSet:
    """The running triggers of all functions. A failed one is tried again until the board can run it."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._running: dict[str, dict[Trigger, _Started]] = {}
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None

    def check(self, functions: Iterable[InstalledFunction]) -> None:
        """Raise RejectedError, with the trigger and the reason, for one known to fail on this board.

        Triggers the function already has are skipped: their obstacles were there before.
        """
        for function in functions:
            for each in function.manifest.triggers:
                if each not in self._running.get(function.name, {}):
                    with about(f"functions/{function.name}"):
                        self._check(function.name, each)

    def connect(self, function: InstalledFunction, receiver: Receiver) -> None:
        """Have exactly the triggers of this version deliver. Start triggers fire again."""
        wanted = list(dict.fromkeys(function.manifest.triggers))
        running = dict(self._running.get(function.name, {}))
        for each in [old for old in running if old not in wanted or isinstance(old, StartTrigger)]:
            running.pop(each).close()
        deliver, ask = _ways(self._sources.origin, receiver)
        for each in wanted:
            if each not in running:
                running[each] = _Started(each, deliver, ask, self._sources, receiver.note)
        self._running[function.name] = running
        if wanted and self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="triggers", daemon=True)
            self._keeper.start()

    def remove(self, names: Iterable[str]) -> None:
        """Close the triggers of these functions."""
        for name in names:
            for trigger in self._running.pop(name, {}).values():
                trigger.close()

    def with_faults(self, name: str, health: FunctionHealth) -> FunctionHealth:
        """The function's health, with the faults of its silent triggers."""
        found = [each.fault for each in self._running.get(name, {}).values()]
        faults = tuple(each for each in found if each)
        impaired = IMPAIRED if faults and health.state == RUNNING else health.state
        return replace(health, state=impaired, triggers=faults)

    def close(self) -> None:
        """End the retries. The functions were removed before."""
        self._closed.set()
        if self._keeper:
            self._keeper.join()

    def _check(self, function: str, trigger: Trigger) -> None:
        try:
            check(trigger, self._sources)
        except LamplightError as error:
            what = f"{function}'s trigger {trigger} cannot start here"
            raise RejectedError(what, _why(error), error.remedy) from None

    def _keep(self) -> None:
        while not self._closed.wait(LOOK):
            for triggers in list(self._running.values()):
                for each in list(triggers.values()):
                    each.look()


class _Started:
    """A trigger that runs as soon as the board can run it: an address may be in use now and free later."""

    def __init__(self, trigger: Trigger, deliver: Deliver, ask: Ask, sources: Sources, note: Note) -> None:
        self._name = str(trigger)
        self._make = lambda: make(trigger, deliver, ask, sources)
        self._note = note
        self._lock = threading.Lock()
        self._closed = False
        self._running: RunningTrigger | None = None
        self._unmade: LamplightError | None = None
        self._due = 0.0
        self._told = ""
        self.look()

    @property
    def fault(self) -> TriggerFault | None:
        """The reason for its silence now; None while it works."""
        error = self._running.fault if self._running else self._unmade
        return TriggerFault(self._name, _why(error), error.remedy) if error else None

    def look(self) -> None:
        """Start an unstarted trigger when its next try is due, and log any change."""
        with self._lock:
            if self._closed:
                return
            if self._running is None and time.monotonic() >= self._due:
                self._try()
            self._tell()

    def close(self) -> None:
        """Deliver no more."""
        with self._lock:
            self._closed = True
            if self._running:
                self._running.close()

    def _try(self) -> None:
        try:
            self._running, self._unmade = self._make(), None
        except LamplightError as error:
            self._unmade = error
        except (OSError, RuntimeError) as error:
            # The board is out of files, or of threads.
            self._unmade = LamplightError("this board has no room for it", str(error), "stop what uses up its memory")
        self._due = time.monotonic() + RETRY

    def _tell(self) -> None:
        fault = self.fault
        why = fault.error if fault else ""
        if fault and why != self._told:
            self._note("error", f"the trigger {self._name} does not work: {why}. {fault.remedy}".rstrip(". "))
        elif self._told and not why:
            self._note("info", f"the trigger {self._name} works again")
        self._told = why


def _why(error: LamplightError) -> str:
    """The event and its cause; the remedy is told apart from it."""
    return f"{error.what}: {error.why}" if error.why else error.what


def _ways(origin: str, receiver: Receiver) -> tuple[Deliver, Ask]:
    """How triggers reach a function: their sources are made unique in the world."""

    def deliver(source: str, type: str, data: object, subject: str = "", trail: tuple[str, ...] = ()) -> None:
        receiver.offer(f"{origin}/{source}", type, data, subject=subject, trail=trail)

    def ask(source: str, type: str, data: object, subject: str = "", asked: Asked = NOTHING_MORE) -> object:
        return receiver.call(data, f"{origin}/{source}", type, subject, asked)

    return deliver, ask
