"""Feeds one function: one event at a time, in order, each at most once, to the one worker that runs it.

A thread per function. It owns the worker between `adopt` and `release`, restarts it when it fails, and drives the
outputs to their safe level whenever the function is down. Which function runs at all is the supervisor's to decide.
"""

import logging
import math
import random
import select
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

from device.errors import LamplightError, OfflineError, UsageError
from device.event import Event
from device.generation import InstalledFunction
from device.health import FunctionHealth, state
from device.protocol.messages import CALL
from device.runtime.channel import encode
from device.runtime.event_queue import EventQueue, Waiting
from device.runtime.forker import ForkError
from device.runtime.journal import Journal
from device.runtime.messages import Failure, Result, event_message
from device.runtime.policy import Policy
from device.runtime.process import StartError, WorkerLostError, WorkerProcess
from device.runtime.starter import Starter, outputs

Rest = Callable[[str, bool], None]
# Between two reports of dropped events, in seconds.
_TELL = 10.0

_log = logging.getLogger(__name__)


@dataclass
class Tally:
    """What happened since the function's last switch; see FunctionHealth."""

    events: int = 0
    errors: int = 0
    timeouts: int = 0
    crashes: int = 0
    restarts: int = 0
    last_error: str = ""
    deaths: Counter[str] = field(default_factory=Counter[str])
    # Of the queue's count of dropped events: those from before the switch, and those the log has told of.
    dropped_before: int = 0
    told: int = 0
    told_at: float = -_TELL


class Dispatcher:
    """One function's queue and worker.

    Made without a worker: `adopt` brings the first. `rest` drives an output to a level and lets go of it; `numbers`
    counts the function's events, also those dropped, so that a gap between ids is visible.
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
        self._queue = EventQueue(policy.queue)
        self._offering = threading.Lock()
        self._commands: deque[tuple[Callable[[], None], Future[None]]] = deque()
        self._tally = Tally()
        self._backoff = policy.backoff
        self._worker: WorkerProcess | None = None
        self._rising: WorkerProcess | None = None
        self._since = 0.0
        # When to start a new worker; None while the supervisor is going to bring one.
        self._rise_at: float | None = None
        self._over = False
        self._thread = threading.Thread(target=self._run, name=f"function {function.name}", daemon=True)
        self._thread.start()

    # --- for any thread ---

    def offer(
        self, source: str, type: str, data: object, reply: "Future[object] | None" = None, subject: str = ""
    ) -> None:
        """Queue an event; never waits. With `reply`, the handler's result goes there."""
        with self._offering:
            event = Event(f"{self._function.name}-{next(self._numbers)}", source, type, time.time(), data, subject)
            dropped = self._queue.offer(Waiting(event, reply))
        if dropped:
            dropped.fail(OfflineError(f"{self._function.name} did not take the event", "its queue was full"))

    def call(self, data: object, source: str = "call", type: str = CALL, subject: str = "") -> object:
        """The handler's result for a call, or for another event that somebody waits for.

        Raises LamplightError when it fails, OfflineError when it takes too long, UsageError for data that cannot be
        sent.
        """
        try:
            encode(event_message(Event(f"{self._function.name}-{'9' * 12}", source, type, 0.0, data, subject), 1e12))
        except (TypeError, ValueError, RecursionError) as error:
            name = self._function.name
            raise UsageError(f"{name} cannot be called with this", str(error), "send what JSON can say") from None
        reply: Future[object] = Future()
        self.offer(source, type, data, reply, subject)
        try:
            return reply.result(self._policy.call + self._function.manifest.timeout)
        except TimeoutError:
            reply.cancel()
            raise OfflineError(
                f"{self._function.name} did not answer",
                f"it is {self.health().state}, or busy with earlier events",
                "look at its log, and try again",
            ) from None

    def health(self) -> FunctionHealth:
        """As of now."""
        tally = self._tally
        return FunctionHealth(
            version=self._function.version,
            digest=self._function.digest,
            state=state(self._over, self._worker is not None, self._backoff.failures > 0),
            events=tally.events,
            errors=tally.errors,
            timeouts=tally.timeouts,
            crashes=tally.crashes,
            restarts=tally.restarts,
            last_error=tally.last_error,
            dropped=self._queue.dropped - tally.dropped_before,
            deaths=dict(tally.deaths),
        )

    def release(self) -> "Future[None]":
        """After the event in hand, have the worker close its hardware and leave; queue events until `adopt`."""
        return self._command(self._release)

    def adopt(self, function: InstalledFunction, journal: Journal, worker: WorkerProcess) -> "Future[None]":
        """Go on with this warmed worker, as this version of the function."""
        return self._command(lambda: self._adopt(function, journal, worker))

    def retry(self, function: InstalledFunction, journal: Journal, why: str) -> "Future[None]":
        """Become this version of the function, whose worker could not be started because of `why`; try again later."""
        return self._command(lambda: self._retry(function, journal, why))

    def stop(self) -> "Future[None]":
        """After the event in hand, end the worker, put the outputs to their safe level, and end the thread."""
        return self._command(self._stop)

    def kill(self) -> None:
        """Do not wait for the event in hand."""
        for worker in (self._worker, self._rising):
            if worker:
                worker.kill()

    def _command(self, command: Callable[[], None]) -> "Future[None]":
        done: Future[None] = Future()
        self._commands.append((command, done))
        # A worker that is only warming up has no event in hand, and may take long.
        if self._rising:
            self._rising.kill()
        self._queue.nudge()
        return done

    # --- the function's own thread ---

    def _run(self) -> None:
        while not self._over:
            try:
                self._step()
            except Exception:
                # A fault of ours, not the function's: its worker is replaced, and the function goes on.
                _log.exception("The dispatcher of %s failed", self._function.name)
                self._start_over()
        for waiting in self._queue.close():
            waiting.fail(OfflineError(f"{self._function.name} was stopped before it took the event"))

    def _step(self) -> None:
        if self._commands:
            _carry_out(*self._commands.popleft())
        elif self._worker:
            self._work(self._worker)
        else:
            self._wait_to_rise()

    def _start_over(self) -> None:
        if self._worker:
            self._worker.end()
            self._worker = None
        self._plan_rise(0.0)

    def _work(self, worker: WorkerProcess) -> None:
        try:
            waiting = self._queue.take()
            if waiting:
                self._handle(waiting, worker)
            else:
                worker.idle(self._queue.fileno())
                self._queue.calm()
        except WorkerLostError as lost:
            self._lost(worker, lost)

    def _handle(self, waiting: Waiting, worker: WorkerProcess) -> None:
        self._tell_dropped()
        if waiting.reply and not waiting.reply.set_running_or_notify_cancel():
            return
        self._tally.events += 1
        try:
            outcome = worker.handle(waiting.event, self._function.manifest.timeout)
        except WorkerLostError as lost:
            waiting.fail(_unanswered(self._function.name, lost))
            raise
        if isinstance(outcome, Result):
            self._succeeded(waiting, outcome)
        else:
            self._failed(waiting, outcome)

    def _succeeded(self, waiting: Waiting, result: Result) -> None:
        if waiting.reply:
            waiting.reply.set_result(result.value)
        else:
            self._journal.decision(waiting.event, result)

    def _failed(self, waiting: Waiting, failure: Failure) -> None:
        self._tally.errors += 1
        self._tally.last_error = failure.text
        self._journal.lines("error", [f"{waiting.event.id}: {failure.text}"])
        waiting.fail(LamplightError(f"{self._function.name} failed", failure.text))
        if failure.kind == "memory":
            # What it leaked is still there: only a new process gives it back.
            raise WorkerLostError("memory", failure.text)

    def _lost(self, worker: WorkerProcess, lost: WorkerLostError) -> None:
        how = worker.end()
        self._worker = None
        self._fell(lost.what, lost.detail or how, time.monotonic() - self._since)

    def _fell(self, what: str, detail: str, ran: float) -> None:
        """The function is down: say so, make its outputs safe, and plan the next start."""
        self._tally.timeouts += what == "timeout"
        self._tally.crashes += what != "timeout"
        self._tally.deaths["deadline" if what == "timeout" else what] += 1
        self._tally.last_error = f"{what}: {detail}"
        self._journal.worker(what, detail)
        self._rest_outputs()
        self._plan_rise(ran)

    def _plan_rise(self, ran: float) -> None:
        self._backoff = self._backoff.failed(ran)
        self._rise_at = time.monotonic() + self._backoff.delay(random.random())

    def _rest_outputs(self) -> None:
        for pin in outputs(self._function):
            try:
                self._rest(pin, self._function.manifest.pins[pin].safe)
            except Exception as error:
                self._journal.note("error", f"the output {pin} could not be put to its safe level: {error}")

    def _wait_to_rise(self) -> None:
        left = None if self._rise_at is None else self._rise_at - time.monotonic()
        if left is not None and left <= 0:
            self._rise()
            return
        wake = select.poll()
        wake.register(self._queue, select.POLLIN)
        wake.poll(None if left is None else math.ceil(left * 1000))
        self._queue.calm()

    def _rise(self) -> None:
        """Start a worker after a failure."""
        try:
            worker = self._starter.start(self._function, self._journal, self._is_rising)
        except (ForkError, StartError) as error:
            self._fell("crashed", str(error), 0.0)
        else:
            self._tally.restarts += 1
            self._take_over(worker)
        finally:
            self._rising = None

    def _is_rising(self, worker: WorkerProcess) -> None:
        self._rising = worker

    def _take_over(self, worker: WorkerProcess) -> None:
        try:
            worker.go(self._policy.go)
        except StartError as error:
            worker.end()
            self._fell("crashed", str(error), 0.0)
        except WorkerLostError as lost:
            how = worker.end()
            self._fell(lost.what, lost.detail or how, 0.0)
        else:
            self._worker = worker
            self._since = time.monotonic()
            self._journal.worker("started", f"process {worker.pid}")

    def _release(self) -> None:
        self._rise_at = None
        if self._worker:
            self._worker.stop(self._policy.stop)
            self._worker = None
            self._journal.worker("stopped")

    def _adopt(self, function: InstalledFunction, journal: Journal, worker: WorkerProcess) -> None:
        self._become(function, journal)
        self._take_over(worker)

    def _retry(self, function: InstalledFunction, journal: Journal, why: str) -> None:
        self._become(function, journal)
        self._fell("crashed", why, 0.0)

    def _become(self, function: InstalledFunction, journal: Journal) -> None:
        self._function = function
        self._journal = journal
        self._tally = Tally(dropped_before=self._queue.dropped, told=self._queue.dropped)
        self._backoff = self._backoff.reset()

    def _stop(self) -> None:
        self._release()
        self._rest_outputs()
        self._journal.flush()
        self._over = True

    def _tell_dropped(self) -> None:
        dropped, now = self._queue.dropped, time.monotonic()
        if dropped > self._tally.told and now - self._tally.told_at >= _TELL:
            self._journal.note(
                "warning", f"{dropped - self._tally.told} events dropped: the function is too slow for them"
            )
            self._tally.told, self._tally.told_at = dropped, now


def _carry_out(command: Callable[[], None], done: "Future[None]") -> None:
    try:
        command()
    except Exception as error:
        # Whoever gave the command waits for it, and must not wait for ever.
        done.set_exception(error)
    else:
        done.set_result(None)


def _unanswered(function: str, lost: WorkerLostError) -> LamplightError:
    if lost.what == "timeout":
        return OfflineError(f"{function} was stopped", lost.detail, "raise its timeout, or do less in one event")
    return LamplightError(f"{function} {lost.what} while it handled the event", lost.detail)
