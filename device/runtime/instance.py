"""One worker of a function and the thread that looks after it: takes events, survives its ends, restarts it.

It owns the worker between `adopt` and `release`, restarts it when it fails, and drives the outputs to their safe level
whenever the function is down. An idle one can be borrowed: `handle_now` runs an event in the borrower's thread. The
supervisor chooses the versions, the dispatcher the number of instances.
"""

import logging
import math
import random
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from device.errors import LamplightError, OfflineError
from device.event import Event
from device.generation import InstalledFunction
from device.runtime.journal import Journal
from device.runtime.policy import Policy
from device.runtime.queue.event_queue import EventQueue
from device.runtime.queue.overflow import Waiting
from device.runtime.queue.waker import Waker
from device.runtime.tally import Tally
from device.runtime.wire.messages import Failure, Result
from device.runtime.workers.process import StartError, WorkerLostError, WorkerProcess
from device.runtime.workers.starter import Starter, outputs
from device.runtime.workers.zygote import ForkError

Rest = Callable[[str, bool], None]

_log = logging.getLogger(__name__)


class Instance:
    """One worker and its thread.

    It begins empty: `adopt` brings the first worker. `rest` drives an output to a level and lets go of it; `notice` is
    called in this thread before a queued event is handled.
    """

    def __init__(
        self,
        function: InstalledFunction,
        journal: Journal,
        starter: Starter,
        rest: Rest,
        queue: "EventQueue[Instance]",
        policy: Policy,
        notice: Callable[[], None],
    ) -> None:
        self._function = function
        self._journal = journal
        self._starter = starter
        self._rest = rest
        self._queue = queue
        self._policy = policy
        self._notice = notice
        self._waker = Waker()
        self._commands: deque[tuple[Callable[[], None], Future[None]]] = deque()
        self._backoff = policy.backoff
        self._worker: WorkerProcess | None = None
        self._rising: WorkerProcess | None = None
        # How the worker was lost while it was borrowed.
        self._lost_away: WorkerLostError | None = None
        self._since = 0.0
        # When to start a new worker; None while the supervisor is going to bring one.
        self._rise_at: float | None = None
        self.over = False
        self.tally = Tally()
        self._thread = threading.Thread(target=self._run, name=f"function {function.name}", daemon=True)
        self._thread.start()

    # --- for any thread ---

    @property
    def running(self) -> bool:
        """Whether it has a worker ready for events."""
        return self._worker is not None

    @property
    def failed(self) -> bool:
        """Whether it failed lately."""
        return self._backoff.failures > 0

    def nudge(self) -> None:
        """There may be something to do."""
        self._waker.nudge()

    def handle_now(self, call: Waiting) -> object:
        """The result of a call, for the thread that borrowed this instance; gives it back.

        Raises LamplightError when the handler fails, OfflineError when it takes too long.
        """
        worker = self._worker
        assert worker
        worker.hush()
        try:
            outcome = self._outcome(call, worker, self._function.manifest.record_calls)
        except BaseException as error:
            self._give_up(error)
            if isinstance(error, WorkerLostError):
                raise _unanswered(self._function.name, error) from None
            raise
        worker.listen()
        if isinstance(outcome, Failure):
            self._give_back_after(outcome)
            raise _failed(self._function.name, outcome)
        self._queue.give_back(self)
        return outcome.value

    def release(self) -> "Future[None]":
        """After the event in hand, have the worker close its hardware and leave; then wait for `adopt`."""
        return self._command(self._release)

    def adopt(self, function: InstalledFunction, journal: Journal, worker: WorkerProcess) -> "Future[None]":
        """Go on with this warmed worker, as this version of the function."""
        return self._command(lambda: self._adopt(function, journal, worker))

    def retry(self, function: InstalledFunction, journal: Journal, why: str) -> "Future[None]":
        """Become this version of the function and start its worker later; `why` tells why it failed to."""
        return self._command(lambda: self._retry(function, journal, why))

    def stop(self) -> "Future[None]":
        """After the event in hand, end the worker, put the outputs to their safe level, and end the thread."""
        return self._command(self._stop)

    def start_over(self) -> "Future[None]":
        """After the event in hand, put the outputs to their safe level, with a new worker that drives none yet."""
        return self._command(self._start_anew)

    def kill(self) -> None:
        """End the worker at once, in the middle of its event."""
        for worker in (self._worker, self._rising):
            if worker:
                worker.kill()

    def _command(self, command: Callable[[], None]) -> "Future[None]":
        done: Future[None] = Future()
        self._commands.append((command, done))
        # A worker still warming up has no event in hand, and may take long.
        if self._rising:
            self._rising.kill()
        self.nudge()
        return done

    # --- in the thread of the worker's present user: this instance's own, or the borrower's ---

    def _outcome(self, waiting: Waiting, worker: WorkerProcess, recorded: bool) -> Result | Failure:
        event, size = waiting.event, len(waiting.packet)
        self.tally.events += 1
        try:
            outcome = worker.handle(waiting, self._function.manifest.timeout)
        except WorkerLostError as lost:
            if recorded:
                self._journal.failure(event, size, str(lost), None)
            raise
        self.tally.outcome(outcome)
        if isinstance(outcome, Failure):
            self._journal.lines("error", [f"{event.id}: {outcome.text}"], event.id)
        if recorded:
            self._record(event, size, outcome)
        return outcome

    def _record(self, event: Event, size: int, outcome: Result | Failure) -> None:
        if isinstance(outcome, Failure):
            self._journal.failure(event, size, outcome.text, outcome.reads)
        else:
            self._journal.decision(event, size, outcome)

    # --- in the borrower's thread ---

    def _give_up(self, error: BaseException) -> None:
        """Give this instance back after its worker was lost, or a fault of ours left its state unknown."""
        lost = error if isinstance(error, WorkerLostError) else WorkerLostError("crashed", f"a fault: {error!r}")
        self._lost_away = lost
        self._queue.give_back(self, idle=False)
        self.nudge()

    def _give_back_after(self, failure: Failure) -> None:
        if failure.kind == "memory":
            self._give_up(WorkerLostError("memory", failure.text))
        else:
            self._queue.give_back(self)

    # --- the instance's own thread ---

    def _run(self) -> None:
        while not self.over:
            try:
                self._step()
            except Exception:
                # A fault of ours, not the function's: its worker is replaced, and the function goes on.
                _log.exception("An instance of %s failed", self._function.name)
                self._start_over()
        self._waker.close()

    def _step(self) -> None:
        if self._worker and self._lost_away:
            lost, self._lost_away = self._lost_away, None
            self._lost(self._worker, lost)
        elif self._commands:
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
            waiting = self._queue.take(self)
            if waiting:
                self._handle(waiting, worker)
            else:
                self._idle(worker)
        except WorkerLostError as lost:
            self._lost(worker, lost)

    def _idle(self, worker: WorkerProcess) -> None:
        try:
            worker.wait()
        finally:
            self._queue.recall(self)
        self._waker.calm()
        if not self._lost_away:
            worker.attend()

    def _handle(self, waiting: Waiting, worker: WorkerProcess) -> None:
        self._notice()
        if waiting.reply and not waiting.reply.wanted:
            return
        try:
            outcome = self._outcome(waiting, worker, not waiting.reply or self._function.manifest.record_calls)
        except WorkerLostError as lost:
            waiting.fail(_unanswered(self._function.name, lost))
            raise
        if isinstance(outcome, Failure):
            waiting.fail(_failed(self._function.name, outcome))
            if outcome.kind == "memory":
                # Its leaks are still there: only a new process gives them back.
                raise WorkerLostError("memory", outcome.text)
        elif waiting.reply:
            waiting.reply.give(outcome.value)

    def _lost(self, worker: WorkerProcess, lost: WorkerLostError) -> None:
        # Another instance may be free for the event that woke this one.
        self._queue.pass_on()
        how = worker.end()
        self._worker = None
        self._fell(lost.what, lost.detail or how, time.monotonic() - self._since, _death(lost, worker), lost.excused)

    def _fell(self, what: str, detail: str, ran: float, death: str, excused: bool = False) -> None:
        """The function is down: say so, make its outputs safe, and plan the next start."""
        self.tally.fell(what, detail, death, excused)
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
        wake.register(self._waker, select.POLLIN)
        wake.poll(None if left is None else math.ceil(left * 1000))
        self._waker.calm()

    def _rise(self) -> None:
        """Start a worker after a failure."""
        try:
            worker = self._starter.start(self._function, self._journal, self._is_rising)
        except (ForkError, StartError) as error:
            self._fell("crashed", str(error), 0.0, "start", error.excused)
        else:
            self.tally.restarts += 1
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
            self._fell("crashed", str(error), 0.0, "start")
        except WorkerLostError as lost:
            how = worker.end()
            self._fell(lost.what, lost.detail or how, 0.0, _death(lost, worker), lost.excused)
        else:
            worker.mind(self._waker.fileno())
            self._worker = worker
            self._since = time.monotonic()
            self._journal.worker("started", f"process {worker.pid}")

    def _release(self) -> None:
        self._rise_at = None
        if self._worker:
            self._worker.stop(self._policy.stop)
            self._worker = None
            self._journal.worker("stopped")

    def _start_anew(self) -> None:
        if self._worker:
            self._release()
            self._rest_outputs()
            self._rise_at = time.monotonic()

    def _adopt(self, function: InstalledFunction, journal: Journal, worker: WorkerProcess) -> None:
        self._become(function, journal)
        self._take_over(worker)

    def _retry(self, function: InstalledFunction, journal: Journal, why: str) -> None:
        self._become(function, journal)
        self._fell("crashed", why, 0.0, "start")

    def _become(self, function: InstalledFunction, journal: Journal) -> None:
        self._function = function
        self._journal = journal
        self.tally = Tally()
        self._backoff = self._backoff.reset()

    def _stop(self) -> None:
        self._release()
        self._rest_outputs()
        self._journal.flush()
        self.over = True


def _carry_out(command: Callable[[], None], done: "Future[None]") -> None:
    try:
        command()
    except Exception as error:
        # The caller waits for its command, and must not wait for ever.
        done.set_exception(error)
    else:
        done.set_result(None)


def _death(lost: WorkerLostError, worker: WorkerProcess) -> str:
    """The kind of a worker's end, for the tally: the agent's reason for ending it, or else its own way of ending."""
    if lost.what == "crashed":
        return "protocol" if lost.detail else worker.death
    return {"timeout": "deadline"}.get(lost.what, lost.what)


def _failed(function: str, failure: Failure) -> LamplightError:
    return LamplightError(f"{function} failed", failure.text)


def _unanswered(function: str, lost: WorkerLostError) -> LamplightError:
    if lost.what == "timeout":
        return OfflineError(f"{function} was stopped", lost.detail, "raise its timeout, or do less in one event")
    return LamplightError(f"{function} {lost.what} while it handled the event", lost.detail)
