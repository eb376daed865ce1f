"""The bounded queue of one function's waiting events, with its idle instances.

Its takers are the function's instances. An instance with an empty queue is idle, and is nudged for the next event.
Meanwhile a thread with an event of its own may *borrow* an idle one instead, and saves two changes of thread. An
instance has one user at a time. overflow.py says how a full queue is treated.
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
    """A queue of at most `room` events."""

    def __init__(self, room: int, overflow: str) -> None:
        self._room = room
        self._overflow = overflow
        self._events: deque[Waiting] = deque()
        self._lock = threading.Lock()
        self._taken = threading.Condition(self._lock)
        self._returned = threading.Condition(self._lock)
        self._idle: list[T] = []
        self._borrowed: list[T] = []
        # Instances waiting for their borrower.
        self._recalled = 0
        self._closed = False
        self.dropped = 0

    # --- for the bringers of events ---

    def bound(self, room: int, overflow: str) -> None:
        """Set the bounds of a new version; waiting events beyond them stay."""
        with self._lock:
            self._room, self._overflow = room, overflow

    def offer(self, waiting: Waiting) -> Waiting | None:
        """Put an event at the end and return at once.

        Returns the displaced event, if any. A closed queue refuses all.
        """
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
        """An idle instance, when the queue is empty; to be given back."""
        with self._lock:
            if self._events or not self._idle:
                return None
            taker = self._idle.pop()
            self._borrowed.append(taker)
            return taker

    def give_back(self, taker: T, idle: bool = True) -> None:
        """Take an instance back: as idle, or, with `idle` false, for its own thread first."""
        with self._lock:
            self._borrowed.remove(taker)
            if idle:
                self._idle.append(taker)
            if self._recalled:
                self._returned.notify_all()
            self._wake_one()

    # --- for the instances ---

    def take(self, taker: T) -> Waiting | None:
        """The oldest event. None for an empty queue: `taker` is idle then, until it is nudged or recalls itself."""
        with self._lock:
            if self._events:
                self._taken.notify()
                return self._events.popleft()
            self._idle.append(taker)
            return None

    def recall(self, taker: T) -> None:
        """Take `taker` off the idle ones; waits for its borrower, if any."""
        with self._lock:
            self._recalled += 1
            while taker in self._borrowed:
                self._returned.wait()
            self._recalled -= 1
            if taker in self._idle:
                self._idle.remove(taker)

    def pass_on(self) -> None:
        """Wake another instance: the caller may have been nudged, and is unable to take an event now."""
        with self._lock:
            self._wake_one()

    def close(self) -> list[Waiting]:
        """Refuse events from now on; returns the events left over."""
        with self._lock:
            self._closed = True
            self._taken.notify_all()
            left, self._events = list(self._events), deque()
            return left

    def _wake_one(self) -> None:
        """Wake one waiting instance when there is an event for it: a wake-up costs a system call."""
        if self._events and self._idle:
            self._idle.pop().nudge()
