"""Feeds one function: events in order, each at most once, to its instances, over one bounded queue.

One instance keeps the order of events; several keep only the order in which they begin. instance.py handles an event
and survives the worker's ends; the supervisor chooses the functions.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future

from device.errors import OfflineError, UsageError
from device.event import Event
from device.generation import InstalledFunction
from device.health import FunctionHealth, state
from device.protocol.messages import CALL
from device.runtime.instance import Instance, Rest
from device.runtime.journal import Journal
from device.runtime.policy import Policy
from device.runtime.queue.event_queue import EventQueue
from device.runtime.queue.overflow import Waiting
from device.runtime.queue.reply import Reply
from device.runtime.tally import Tally
from device.runtime.workers.process import WorkerProcess
from device.runtime.workers.starter import Starter
from device.triggers.delivery import NOTHING_MORE, Asked

# Between two reports of dropped events, in seconds.
_TELL = 10.0

_log = logging.getLogger(__name__)


class Dispatcher:
    """One function's queue and instances.

    It begins with zero workers: `adopt` brings the first. `rest` drives an output to a level and lets go of it;
    `numbers` counts the function's events, dropped ones too, so a gap between ids is visible.
    """

    def __init__(
        self,
        function: InstalledFunction,
        journal: Journal,
        starter: Starter,
        rest: Rest,
        numbers: Iterator[int],
        policy: Policy,
    ) -> None:
        self._function = function
        self._journal = journal
        self._starter = starter
        self._rest = rest
        self._numbers = numbers
        self._policy = policy
        self._queue: EventQueue[Instance] = EventQueue(function.manifest.queue, function.manifest.overflow)
        self._instances: list[Instance] = []
        self._offering = threading.Lock()
        self._telling = threading.Lock()
        # Of the queue's count of dropped events: those from before the switch, and those the log has told of.
        self._dropped_before = 0
        self._told = 0
        self._told_at = -_TELL

    # --- events ---

    def offer(self, source: str, type: str, data: object, subject: str = "", trail: tuple[str, ...] = ()) -> None:
        """Queue a trigger's event and return at once."""
        with self._offering:
            event = Event(self._next_id(), source, type, time.time(), data, subject, len(trail))
            try:
                waiting = Waiting.of(event)._replace(trail=trail)
            except (TypeError, ValueError, RecursionError) as error:
                # One of our triggers sent a value beyond JSON: its thread must survive.
                _log.error("An event of %s for %s cannot be sent: %s", source, self._function.name, error)
                return
            gone = self._queue.offer(waiting)
        if gone:
            gone.fail(self._not_taken())

    def call(
        self, data: object, source: str = "call", type: str = CALL, subject: str = "", asked: Asked = NOTHING_MORE
    ) -> object:
        """The handler's result for a call, or for another event with a waiting caller.

        Raises LamplightError when the handler fails, OfflineError when it takes too long or the queue stays full,
        UsageError for data beyond JSON.
        """
        event = Event(self._next_id(), source, type, time.time(), data, subject)
        try:
            waiting = Waiting.of(event, asked=asked)
        except (TypeError, ValueError, RecursionError) as error:
            name = self._function.name
            raise UsageError(f"{name} cannot be called with this", str(error), "send what JSON can say") from None
        if instance := self._queue.borrow():
            return instance.handle_now(waiting)
        reply = Reply()
        return self._wait_for(waiting._replace(reply=reply), reply)

    def note(self, level: str, text: str) -> None:
        """A line of the function's log, by the runtime."""
        self._journal.note(level, text)

    def _wait_for(self, waiting: Waiting, reply: Reply) -> object:
        until = time.monotonic() + self._policy.call + self._function.manifest.timeout
        gone = self._queue.offer_patiently(waiting, until)
        if gone:
            gone.fail(self._not_taken())
        try:
            return reply.wait(max(0.0, until - time.monotonic()))
        except TimeoutError:
            raise OfflineError(
                f"{self._function.name} did not answer",
                f"it is {self.health().state}, or busy with earlier events",
                "look at its log, and try again",
            ) from None

    def _next_id(self) -> str:
        return f"{self._function.name}-{next(self._numbers)}"

    def _not_taken(self) -> OfflineError:
        return OfflineError(f"{self._function.name} did not take the event", "its queue was full")

    def health(self) -> FunctionHealth:
        """The function's health as of now."""
        tallies = [instance.tally for instance in self._instances]
        latest = max(tallies, key=lambda tally: tally.last_at, default=Tally())
        return FunctionHealth(
            version=self._function.version,
            digest=self._function.digest,
            state=self._state(),
            events=sum(tally.events for tally in tallies),
            errors=sum(tally.errors for tally in tallies),
            timeouts=sum(tally.timeouts for tally in tallies),
            crashes=sum(tally.crashes for tally in tallies),
            excused=sum(tally.excused for tally in tallies),
            restarts=sum(tally.restarts for tally in tallies),
            last_error=latest.last_error,
            dropped=self._queue.dropped - self._dropped_before,
            deaths=sum((tally.deaths for tally in tallies), Counter[str]()),
            runs=sum(tally.runs for tally in tallies),
            slow=sum(tally.slow for tally in tallies),
            circles=self._journal.circles,
        )

    def _state(self) -> str:
        each = self._instances
        over = bool(each) and all(instance.over for instance in each)
        return state(over, any(instance.running for instance in each), any(instance.failed for instance in each))

    # --- versions; one thread at a time ---

    def release(self) -> "list[Future[None]]":
        """After the events in hand, have the workers close their hardware and leave; queue events until `adopt`."""
        return [instance.release() for instance in self._instances]

    def adopt(
        self, function: InstalledFunction, journal: Journal, workers: list[WorkerProcess]
    ) -> "list[Future[None]]":
        """Go on with these warmed workers, one for each instance, as this version of the function."""
        surplus = self._become(function, journal)
        return surplus + [
            instance.adopt(function, journal, worker) for instance, worker in zip(self._instances, workers, strict=True)
        ]

    def retry(self, function: InstalledFunction, journal: Journal, why: str) -> "list[Future[None]]":
        """Become this version of the function and start its workers later; `why` tells why they failed to."""
        surplus = self._become(function, journal)
        return surplus + [instance.retry(function, journal, why) for instance in self._instances]

    def stop(self) -> "list[Future[None]]":
        """After the events in hand, end the workers and put the outputs to their safe level. Then `close`."""
        return [instance.stop() for instance in self._instances]

    def start_over(self) -> None:
        """After the events in hand, put the outputs to their safe level until an event of its own drives them."""
        for instance in self._instances:
            instance.start_over()

    def kill(self) -> None:
        """End the workers at once, in the middle of their events."""
        for instance in self._instances:
            instance.kill()

    def close(self) -> None:
        """Once all instances have stopped: tell the waiting callers."""
        for waiting in self._queue.close():
            waiting.fail(OfflineError(f"{self._function.name} was stopped before it took the event"))

    def _become(self, function: InstalledFunction, journal: Journal) -> "list[Future[None]]":
        """Take over the version's bounds; returns the ends of the surplus instances."""
        self._function = function
        self._journal = journal
        self._queue.bound(function.manifest.queue, function.manifest.overflow)
        with self._telling:
            self._dropped_before = self._told = self._queue.dropped
        surplus = self._instances[function.manifest.instances :]
        kept = self._instances[: function.manifest.instances]
        self._instances = kept + [self._instance() for _ in range(function.manifest.instances - len(kept))]
        return [instance.stop() for instance in surplus]

    def _instance(self) -> Instance:
        return Instance(
            self._function, self._journal, self._starter, self._rest, self._queue, self._policy, self._tell_dropped
        )

    def _tell_dropped(self) -> None:
        with self._telling:
            dropped, now = self._queue.dropped, time.monotonic()
            if dropped > self._told and now - self._told_at >= _TELL:
                count = dropped - self._told
                self._journal.note("warning", f"{count} events dropped: the function is too slow for them")
                self._told, self._told_at = dropped, now
