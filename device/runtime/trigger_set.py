"""Which triggers feed which function.

Triggers that a new version declares as the old one did go on undisturbed, with their phase and their window; the
others are replaced. What a trigger does is device/triggers'.
"""

import logging
import threading
from collections.abc import Iterable
from typing import Protocol

from device.errors import LamplightError
from device.generation import InstalledFunction
from device.protocol.triggers import StartTrigger, Trigger
from device.triggers import RunningTrigger, Sources, make
from device.triggers.delivery import Ask, Deliver

# Between two tries to start a trigger that this board cannot run now, in seconds.
RETRY = 5.0

_log = logging.getLogger(__name__)


class Receiver(Protocol):
    """What takes a function's events: its dispatcher."""

    def offer(self, source: str, type: str, data: object, *, subject: str = "", hops: int = 0) -> None:
        """Queue an event; never waits."""
        ...

    def call(self, data: object, source: str, type: str, subject: str) -> object:
        """The handler's result."""
        ...


class Wiring:
    """The running triggers of all functions."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._running: dict[str, dict[Trigger, RunningTrigger]] = {}

    def connect(self, function: InstalledFunction, receiver: Receiver) -> None:
        """Have exactly the triggers of this version deliver. Those that fire at a start fire again."""
        wanted = list(dict.fromkeys(function.manifest.triggers))
        running = self._running.setdefault(function.name, {})
        for each in [old for old in running if old not in wanted or isinstance(old, StartTrigger)]:
            running.pop(each).close()
        deliver, ask = _ways(self._sources.origin, receiver)
        for each in wanted:
            if each not in running:
                running[each] = _Started(each, deliver, ask, self._sources)

    def remove(self, names: Iterable[str]) -> None:
        """These functions get no more events."""
        for name in names:
            for trigger in self._running.pop(name, {}).values():
                trigger.close()


class _Started:
    """A trigger that runs as soon as the board can run it: an address may be in use now and free later."""

    def __init__(self, trigger: Trigger, deliver: Deliver, ask: Ask, sources: Sources) -> None:
        self._make = lambda: make(trigger, deliver, ask, sources)
        self._closed = threading.Event()
        self._running: RunningTrigger | None = None
        self._retry: threading.Thread | None = None
        if why := self._try():
            _log.error("A trigger of type %s waits: %s", trigger.kind, why)
            self._retry = threading.Thread(target=self._try_again, name=f"trigger {trigger.kind}", daemon=True)
            self._retry.start()

    def close(self) -> None:
        """Deliver no more."""
        self._closed.set()
        if self._retry:
            self._retry.join()
        if self._running:
            self._running.close()

    def _try(self) -> str:
        try:
            self._running = self._make()
        except LamplightError as error:
            return str(error)
        return ""

    def _try_again(self) -> None:
        while not self._closed.wait(RETRY) and self._try():
            pass


def _ways(origin: str, receiver: Receiver) -> tuple[Deliver, Ask]:
    """How triggers reach a function: their sources are made unique in the world."""

    def deliver(source: str, type: str, data: object, subject: str = "", hops: int = 0) -> None:
        receiver.offer(f"{origin}/{source}", type, data, subject=subject, hops=hops)

    def ask(source: str, type: str, data: object, subject: str = "") -> object:
        return receiver.call(data, f"{origin}/{source}", type, subject)

    return deliver, ask
