"""Every credential's budgets, kept in memory: one cannot take the shim from the others.

A message beyond the budget is put off before it is read. Records are not acknowledged then: the device keeps them and
sends them again. Of the messages that tell a state, the newest is kept for later. A device that goes on beyond its
budget floods, and is named to the caller. The decision itself is in budget.py.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from cloud_shim.records import budget
from cloud_shim.records.budget import BOARD, RATES, STRAY, Budget, Rate
from cloud_shim.records.excesses import Excesses
from device.protocol import topics
from device.protocol.topics import STATES, Topic

# Budgets kept before those that are full again are dropped: whoever may ask to be let in may invent client ids.
_MANY = 10_000


class Message(NamedTuple):
    """One message from a device."""

    topic: Topic
    payload: bytes
    retained: bool

    @classmethod
    def of(cls, topic: str, payload: bytes, retained: bool) -> "Message":
        """A message as the broker gives it; ProtocolError for a foreign topic."""
        return cls(topics.parse(topic), payload, retained)


class Budgets:
    """The budgets of one fleet's credentials. For any thread."""

    def __init__(
        self, excesses: Excesses, flooded: Callable[[str], None], steady: Callable[[], float] = time.monotonic
    ) -> None:
        """`flooded` is called with a credential far beyond its budget, for each further message."""
        self._excesses = excesses
        self._flooded = flooded
        self._steady = steady
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str], Budget] = {}
        self._rates: dict[tuple[str, str], Rate] = {}
        self._late: dict[tuple[str, str], Message] = {}

    def take(self, message: Message) -> bool:
        """Charge the message to its device; False when it is beyond the budget and has been put off."""
        device, kind, size = message.topic.device, message.topic.kind, len(message.payload)
        with self._lock:
            if self._within(message):
                # An older one must not come after it.
                self._late.pop((device, kind), None)
                return True
            if kind in STATES:
                self._late[device, kind] = message
            flooding = not self._spend((device, f"beyond {kind}"), budget.overdraft(RATES[kind]), size)
        self._excesses.note(device, "sent", 1, size)
        if flooding:
            self._flooded(device)
        return False

    def stray(self, device: str, kind: str, size: int) -> None:
        """A message without need: one that the broker was to keep ("retained"), or on no known topic ("foreign")."""
        with self._lock:
            flooding = not self._spend((device, kind), STRAY, size)
        self._excesses.note(device, kind, 1, size)
        if flooding:
            self._flooded(device)

    def due(self) -> list[Message]:
        """The messages put off whose time has come. They are charged now."""
        with self._lock:
            ready = [key for key, late in self._late.items() if self._spend(key, RATES[key[1]], len(late.payload))]
            return [self._late.pop(key) for key in ready]

    def _within(self, message: Message) -> bool:
        topic, size = message.topic, len(message.payload)
        rate = RATES.get(topic.kind)
        if rate is None:
            return True
        # The boards that ask share a credential: each has a budget of its own besides.
        if topic.kind == "ask" and not self._spend((topic.device, f"ask {topic.leaf}"), BOARD, size):
            return False
        return self._spend((topic.device, topic.kind), rate, size)

    def _spend(self, key: tuple[str, str], rate: Rate, size: int) -> bool:
        now = self._steady()
        if len(self._left) > _MANY and key not in self._left:
            self._drop_full(now)
        before = budget.at(self._left.get(key, budget.full(rate, now)), rate, now)
        after = budget.spent(before, size)
        self._left[key], self._rates[key] = after or before, rate
        return after is not None

    def _drop_full(self, now: float) -> None:
        for key, left in list(self._left.items()):
            rate = self._rates[key]
            if budget.at(left, rate, now) == budget.full(rate, now):
                del self._left[key], self._rates[key]
