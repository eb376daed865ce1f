"""One worker as the agent sees it: its orders, its messages, its end.

Used by one thread at a time, except `wait` and `kill`. It reports events to its caller; the instance acts on them.
"""

import math
import select
import signal
import time
from collections.abc import Callable

from device.protocol.errors import ProtocolError
from device.runtime.cgroups.group import Group
from device.runtime.journal import Journal
from device.runtime.queue.overflow import Waiting
from device.runtime.wire import messages
from device.runtime.wire.channel import ChannelClosedError, encode
from device.runtime.wire.messages import Assignment, Drives, Failure, Log, Part, Publish, Ready, Result, Running, Said
from device.runtime.workers import effort
from device.runtime.workers.logpipe import LogPipe
from device.runtime.workers.watch import Watch, watch
from device.runtime.workers.zygote import Fork
from device.triggers.delivery import Sink

# How long the kernel may take to end a process, and the zygote to say so.
_REAP = 5.0
OUT_OF_MEMORY = "killed by the kernel: its processes and scratch files together met its memory limit"
# The part of an event's timeout before the first look at its worker's account.
_UNWATCHED = 0.25
# So many times its patience a worker gets to start, where the board gives it too little processor time.
_LONGER = 4
_BUSY = ": other programs had the processor for most of that time"
_GO = encode(messages.GO)
_STOP = encode(messages.STOP)
_MORE = encode(messages.MORE)
_ENOUGH = encode(messages.ENOUGH)


class WorkerLostError(Exception):
    """The worker has failed. `what` is crashed, timeout or memory; `detail` may be empty: its end will tell.

    `excused`: it was late because the board gave it too little processor time (effort.py).
    """

    def __init__(self, what: str, detail: str = "", excused: bool = False) -> None:
        super().__init__(f"{what}: {detail}")
        self.what = what
        self.detail = detail
        self.excused = excused


class StartError(Exception):
    """The worker failed to become its function, and reported this Failure; `excused` as in WorkerLostError."""

    def __init__(self, failure: Failure, excused: bool = False) -> None:
        super().__init__(failure.text)
        self.failure = failure
        self.excused = excused


def _ignore(pin: str, level: bool) -> None:
    pass


class WorkerProcess:
    """A forked worker.

    Each of the methods passes its log lines and messages on to the journal, and the levels of its outputs to `drives`.
    """

    def __init__(
        self, fork: Fork, journal: Journal, group: Group | None = None, drives: Callable[[str, bool], None] = _ignore
    ) -> None:
        self._fork = fork
        self._drives = drives
        self._group = group
        self._killed = group.out_of_memory() if group else 0
        self._journal = journal
        self._log = LogPipe(fork.log, lambda lines: journal.lines("info", lines, self._event))
        self._channel = fork.channel
        self._channel_fd = fork.channel.fileno()
        self._poll = select.poll()
        self._poll.register(self._channel_fd, select.POLLIN)
        self._poll.register(self._log, select.POLLIN)
        self._logging = True
        # Of the last event: a thread left behind by the handler publishes on its account.
        self._trail: tuple[str, ...] = ()
        # Of the event in hand.
        self._sink: Sink | None = None
        # The id of the event in hand, "" between two.
        self._event = ""
        self._watch: Watch | None = None
        self.pid = fork.pid

    def enlist(self) -> None:
        """Put it into its control group. Raises WorkerLostError."""
        try:
            if self._group:
                self._group.add(self.pid)
        except OSError as error:
            raise WorkerLostError("crashed", f"it cannot be put into its control group: {error}") from None

    def warm(self, assignment: Assignment, patience: float) -> None:
        """Have it import the handler and load the models. Raises StartError, or WorkerLostError."""
        self._send(encode(assignment.message()))
        self._expect(Ready, patience, "importing the handler")

    def go(self, patience: float) -> None:
        """Have it open its hardware. Raises StartError, or WorkerLostError."""
        self._send(_GO)
        self._expect(Running, patience, "opening its hardware")

    def handle(self, waiting: Waiting, timeout: float) -> Result | Failure:
        """Have it handle the event within `timeout` seconds.

        The parts of an answer go to the event's `sink`, in this thread. Raises WorkerLostError.
        """
        event = waiting.event
        self._trail, self._sink, self._event = waiting.trail, waiting.asked.sink, event.id
        begun = time.monotonic()
        deadline = begun + timeout
        self._send(messages.with_deadline(waiting.packet, deadline))
        if waiting.asked.attachment:
            self._attach(waiting.asked.attachment)
        # Most events are done before the first look at the worker's account, and pay nothing for it.
        said = self._await(begun + timeout * _UNWATCHED)
        if said is None:
            said = self._watched(deadline, f"no answer to {event.id} within {timeout:g} s")
        if isinstance(said, (Result, Failure)):
            # The lines printed before its answer have been read before it.
            self._event = ""
            return said
        raise WorkerLostError("crashed", f"answered an event with {type(said).__name__}")

    def mind(self, wake: int) -> None:
        """Have `wait` end also when the file descriptor `wake` is readable. Before the first `wait`."""
        self._watch = watch(self._channel_fd, [wake, *([self._log.fileno()] if self._logging else [])])

    def wait(self) -> None:
        """Wait until the worker acts while nobody else uses it (`attend` says how), or needs attention.

        The waiting thread is also the one to end the worker.
        """
        if self._watch:
            self._watch.wait()

    def hush(self) -> None:
        """Let the thread in `wait` sleep on while another uses the worker, up to `listen`."""
        if self._watch:
            self._watch.hush()

    def listen(self) -> None:
        """The thread in `wait` minds the worker again."""
        if self._watch:
            self._watch.listen()

    def attend(self) -> None:
        """Take its messages while idle. Raises WorkerLostError, also when it spoke unasked."""
        said = self._attend(self._poll.poll(0))
        if said is not None:
            raise WorkerLostError("crashed", f"said {type(said).__name__} unasked")

    def stop(self, patience: float) -> None:
        """Have it close its hardware and leave; end a worker that stays."""
        try:
            self._send(_STOP)
            self._await(time.monotonic() + patience)
        except WorkerLostError:
            pass
        self.end()

    def kill(self) -> None:
        """End it at once; its waiting thread is told. Any thread."""
        self._fork.kill()

    @property
    def death(self) -> str:
        """How it ended, as a word (see `death` below); known after `end`.

        It is "oom" when the kernel ended it because all the function's processes together met the memory limit.
        """
        return "oom" if self._out_of_memory() else death(self._fork.status)

    def _out_of_memory(self) -> bool:
        killed = self._fork.status == -signal.SIGKILL
        return bool(killed and self._group and self._group.out_of_memory() > self._killed)

    def end(self) -> str:
        """Make sure of its end, take its last lines, and say how it ended."""
        # When it closed its end of the channel it is most likely exiting: let it tell its own status.
        if not self._fork.exited.wait(0.0 if self._talking() else 0.5):
            self._fork.kill()
            self._fork.exited.wait(_REAP)
            how = "ended by the agent"
        else:
            how = OUT_OF_MEMORY if self._out_of_memory() else describe(self._fork.status)
        if self._watch:
            self._watch.close()
        self._log.close()
        self._channel.close()
        return how

    def _talking(self) -> bool:
        """Whether its end of the channel is still open."""
        return not any(
            fd == self._channel_fd and event & (select.POLLHUP | select.POLLERR) for fd, event in self._poll.poll(0)
        )

    def _send(self, packet: bytes) -> None:
        try:
            self._channel.send_packet(packet)
        except ChannelClosedError:
            raise WorkerLostError("crashed") from None

    def _attach(self, data: bytes) -> None:
        try:
            self._channel.attach(data)
        except ChannelClosedError:
            raise WorkerLostError("crashed") from None

    def _expect(self, kind: type[Said], patience: float, doing: str) -> None:
        said = self._patiently(patience, doing)
        if isinstance(said, Failure):
            raise StartError(said)
        if not isinstance(said, kind):
            raise WorkerLostError("crashed", f"said {type(said).__name__} while {doing}")

    def _patiently(self, patience: float, doing: str) -> Said:
        """Its answer within `patience` seconds, or longer while the board gives it too little processor time."""
        for more in reversed(range(_LONGER)):
            try:
                return self._watched(time.monotonic() + patience, f"not done {doing} after {patience:g} s")
            except WorkerLostError as lost:
                if not (more and lost.excused):
                    raise
        raise AssertionError("the last round has returned or raised")

    def _watched(self, deadline: float, late: str) -> Said:
        """Its answer before the deadline. A late one raises WorkerLostError, with `late` and its account."""
        begun, before = time.monotonic(), effort.read(self.pid, self._group)
        if (said := self._await(deadline)) is not None:
            return said
        excused = effort.starved(before, effort.read(self.pid, self._group), time.monotonic() - begun)
        raise WorkerLostError("timeout", f"{late}{_BUSY if excused else ''}", excused)

    def _await(self, deadline: float) -> Said | None:
        """Its next message other than a log line, publish or level; None when the deadline passes first."""
        while True:
            left = max(0.0, deadline - time.monotonic())
            # In whole milliseconds, rounded up: at most one too late. Messages of the meantime count, for this thread
            # may have been kept waiting itself.
            said = self._attend(self._poll.poll(math.ceil(left * 1000)))
            if said is not None or not left:
                return said

    def _attend(self, ready: list[tuple[int, int]]) -> Said | None:
        spoke = False
        for fd, _ in ready:
            if fd == self._channel_fd:
                spoke = True
            elif not self._log.read():
                self._stop_logging()
        return self._hear() if spoke else None

    def _stop_logging(self) -> None:
        self._logging = False
        self._poll.unregister(self._log)
        if self._watch:
            self._watch.forget(self._log.fileno())

    def _hear(self) -> Said | None:
        try:
            said = messages.said(self._channel.receive())
        except ChannelClosedError:
            raise WorkerLostError("crashed") from None
        except ProtocolError as error:
            raise WorkerLostError("crashed", f"sent the agent what it must not: {error}") from None
        if isinstance(said, (Result, Failure)):
            return said
        if isinstance(said, Log):
            self._journal.lines(said.level, [said.text], self._event)
        elif isinstance(said, Publish):
            self._journal.publish(said.topic, said.data, self._trail)
        elif isinstance(said, Drives):
            self._drives(said.pin, said.level)
        elif isinstance(said, Part) and self._sink:
            self._send(_MORE if self._sink(said.value) else _ENOUGH)
        else:
            return said
        return None


def death(status: int | None) -> str:
    """An exit status as a word for a tally; negative ones are signals, None is the end of the zygote."""
    if status is None:
        return "zygote"
    if status >= 0:
        return f"exit {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def describe(status: int | None) -> str:
    """An exit status for a person."""
    if status is None:
        return "ended with the zygote"
    return f"left with exit status {status}" if status >= 0 else f"killed by {death(status)}"
