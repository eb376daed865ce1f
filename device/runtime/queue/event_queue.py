"""The bounded queue of events that wait for one function, and who of its instances is free to take them.

Its takers are the function's instances. One that finds nothing is idle, and is nudged for the next event; while nothing
waits, a thread with an event of its own may *borrow* an idle one instead, and saves two changes of thread. An instance
is never in two hands. What is done with a full queue is overflow.py's.
"""

import threading
import time
from collections import deque
from typing import Generic, Protocol, TypeVar

from device.runtime.queue.overflow import Waiting, squeeze_in


class Taker(Protocol):
    """Takes events, one at a time, in a thread of its own."""

    def nudge(self) -> None:
        """There may be something to take."""
        ...


T = TypeVar("T", bound=Taker)


class EventQueue(Generic[T]):
    """At most `room` events."""

    def __init__(self, room: int, overflow: str) -> None:
        self._room = room
        self._overflow = overflow
        self._events: deque[Waiting] = deque()
        self._lock = threading.Lock()
        self._taken = threading.Condition(self._lock)
        self._returned = threading.Condition(self._lock)
        self._idle: list[T] = []
        self._borrowed: list[T] = []
        # Instances that wait for their borrower.
        self._recalled = 0
        self._closed = False
        self.dropped = 0

    # --- for those who bring events ---

    def bound(self, room: int, overflow: str) -> None:
        """Other bounds, of a new version; what waits beyond them stays."""
        with self._lock:
            self._room, self._overflow = room, overflow

    def offer(self, waiting: Waiting) -> Waiting | None:
        """Put an event at the end; the one that had to go for it, if any. Never waits. A closed queue takes nothing."""
        with self._lock:
            if self._closed:
                return waiting
            gone = None
            if len(self._events) < self._room:
                self._events.append(waiting)
            else:
                gone = squeeze_in(self._events, waiting, self._overflow)
                self.dropped += 1
            self._wake_one()
        return gone

    def offer_patiently(self, waiting: Waiting, until: float) -> Waiting | None:
        """As `offer`, but where the policy is to block, wait for room until `until` (monotonic, in seconds)."""
        with self._lock:
            while self._overflow == "block" and len(self._events) >= self._room and not self._closed:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._taken.wait(left)
        return self.offer(waiting)

    def borrow(self) -> T | None:
        """An idle instance, when there is one and nothing waits; to be given back."""
        with self._lock:
            if self._events or not self._idle:
                return None
            taker = self._idle.pop()
            self._borrowed.append(taker)
            return taker

    def give_back(self, taker: T, idle: bool = True) -> None:
        """It is idle again; or not, because it needs its own thread first."""
        with self._lock:
            self._borrowed.remove(taker)
            if idle:
                self._idle.append(taker)
            if self._recalled:
                self._returned.notify_all()
            self._wake_one()

    # --- for the instances ---

    def take(self, taker: T) -> Waiting | None:
        """The oldest event; None when there is none: `taker` is idle then, until it is nudged or recalls itself."""
        with self._lock:
            if self._events:
                self._taken.notify()
                return self._events.popleft()
            self._idle.append(taker)
            return None

    def recall(self, taker: T) -> None:
        """`taker` is no longer idle; waits for whoever has borrowed it."""
        with self._lock:
            self._recalled += 1
            while taker in self._borrowed:
                self._returned.wait()
            self._recalled -= 1
            if taker in self._idle:
                self._idle.remove(taker)

    def pass_on(self) -> None:
        """An instance that may have been nudged cannot take anything now: somebody else shall."""
        with self._lock:
            self._wake_one()

    def close(self) -> list[Waiting]:
        """Take no more. Gives those that nobody will take."""
        with self._lock:
            self._closed = True
            self._taken.notify_all()
            left, self._events = list(self._events), deque()
            return left

    def _wake_one(self) -> None:
        """A wake-up costs a system call: only for an event, and only one who waits for it."""
        if self._events and self._idle:
            self._idle.pop().nudge()
