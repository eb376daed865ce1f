"""Every device's budgets, kept in memory: one credential cannot take the shim from the others.

A message beyond the budget is put off before it is read. Records are not acknowledged then: the device keeps them and
sends them again. Of the messages that tell a state, the newest is kept for later. The device's name is told to people.
The decision itself is in budget.py.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from cloud_shim.records import budget
from cloud_shim.records.budget import RATES, Budget
from cloud_shim.words.amounts import counted, moment, size
from device.protocol.topics import Topic

_STATES = ("presence", "reported")
_TOLD = 3600.0  # seconds for which people hear of a device that has stopped


class Message(NamedTuple):
    """One message from a device."""

    topic: Topic
    payload: bytes
    retained: bool


class Excess(NamedTuple):
    """What a device sent beyond its budgets: from when until when, by the wall's clock."""

    first: float
    last: float
    messages: int
    bytes: int


class Budgets:
    """The budgets of one fleet's devices. For any thread."""

    def __init__(self, steady: Callable[[], float] = time.monotonic, clock: Callable[[], float] = time.time) -> None:
        self._steady = steady
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str], Budget] = {}
        self._late: dict[tuple[str, str], Message] = {}
        self._excess: dict[str, Excess] = {}

    def take(self, message: Message) -> bool:
        """Charge the message to its device; False when it is beyond the budget and has been put off."""
        with self._lock:
            key = (message.topic.device, message.topic.kind)
            if self._spend(key, len(message.payload)):
                # An older one must not come after it.
                self._late.pop(key, None)
                return True
            if message.topic.kind in _STATES:
                self._late[key] = message
            self._note(message)
            return False

    def due(self) -> list[Message]:
        """The messages put off whose time has come. They are charged now."""
        with self._lock:
            ready = [key for key, late in self._late.items() if self._spend(key, len(late.payload))]
            return [self._late.pop(key) for key in ready]

    def excess(self, device: str) -> Excess | None:
        """What the device sent beyond its budgets, until an hour after the last of it."""
        with self._lock:
            found = self._excess.get(device)
            if found and self._clock() - found.last > _TOLD:
                del self._excess[device]
                return None
            return found

    def notices(self) -> list[str]:
        """Each device that sends too much, in words."""
        with self._lock:
            devices = sorted(self._excess)
        return [told(device, found) for device in devices if (found := self.excess(device))]

    def _spend(self, key: tuple[str, str], size: int) -> bool:
        rate, now = RATES.get(key[1]), self._steady()
        if rate is None:
            return True
        before = budget.at(self._left.get(key, budget.full(rate, now)), rate, now)
        after = budget.spent(before, size)
        self._left[key] = after or before
        return after is not None

    def _note(self, message: Message) -> None:
        now, device = self._clock(), message.topic.device
        old = self._excess.get(device)
        if old is None or now - old.last > _TOLD:
            old = Excess(now, now, 0, 0)
        self._excess[device] = Excess(old.first, now, old.messages + 1, old.bytes + len(message.payload))


def told(device: str, excess: Excess) -> str:
    """A device's excess, in words."""
    amount = f"{counted(excess.messages, 'message')} ({size(excess.bytes)})"
    return (
        f"{device} sends more than its share: {amount} put off since {moment(excess.first)} UTC. "
        f"`lamplight logs {device}` shows what it sends; if it is not yours to trust, "
        f"`lamplight devices revoke {device}`"
    )
