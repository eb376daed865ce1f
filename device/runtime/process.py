"""One worker, as the agent sees it: what it is told, what it says, how it ends.

Used by one thread at a time, except `kill`. It gives what happened to its caller; what to do about it is the
dispatcher's.
"""

import math
import select
import signal
import time

from device.event import Event
from device.protocol.errors import ProtocolError
from device.runtime import messages
from device.runtime.channel import ChannelClosedError
from device.runtime.forker import Fork
from device.runtime.journal import Journal
from device.runtime.logpipe import LogPipe
from device.runtime.messages import Assignment, Failure, Log, Publish, Ready, Result, Running, Said, Stopped

# How long the kernel may take to end a process, and the zygote to say so.
_REAP = 5.0


class WorkerLostError(Exception):
    """The worker cannot go on. `what` is crashed, timeout or memory; `detail` may be empty: its end will tell."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(f"{what}: {detail}")
        self.what = what
        self.detail = detail


class StartError(Exception):
    """The worker could not become its function: the Failure that it reported."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


class WorkerProcess:
    """A forked worker. What it logs and publishes goes to the journal whenever one of the methods runs."""

    def __init__(self, fork: Fork, journal: Journal) -> None:
        self._fork = fork
        self._journal = journal
        self._log = LogPipe(fork.log, lambda lines: journal.lines("info", lines))
        self._poll = select.poll()
        self._poll.register(fork.channel, select.POLLIN)
        self._poll.register(self._log, select.POLLIN)
        self._logging = True
        self.pid = fork.pid

    def warm(self, assignment: Assignment, patience: float) -> None:
        """Have it import the handler and load the models. Raises StartError, or WorkerLostError."""
        self._send(assignment.message())
        self._expect(Ready, patience, "importing the handler")

    def go(self, patience: float) -> None:
        """Have it open its hardware. Raises StartError, or WorkerLostError."""
        self._send(messages.GO)
        self._expect(Running, patience, "opening its hardware")

    def handle(self, event: Event, timeout: float) -> Result | Failure:
        """Have it handle one event within `timeout` seconds. Raises WorkerLostError."""
        deadline = time.monotonic() + timeout
        self._send(messages.event_message(event, deadline))
        said = self._await(deadline, f"no answer to {event.id} within {timeout:g} s")
        if not isinstance(said, (Result, Failure)):
            raise WorkerLostError("crashed", f"answered an event with {type(said).__name__}")
        return said

    def idle(self, wake: int) -> None:
        """Wait until the file descriptor `wake` is readable or the worker did something. Raises WorkerLostError."""
        self._poll.register(wake, select.POLLIN)
        try:
            ready = self._poll.poll()
        finally:
            self._poll.unregister(wake)
        said = self._attend({fd for fd, _ in ready})
        if said is not None:
            raise WorkerLostError("crashed", f"said {type(said).__name__} unasked")

    def stop(self, patience: float) -> None:
        """Have it close its hardware and leave; end it when it does not."""
        try:
            self._send(messages.STOP)
            self._expect(Stopped, patience, "leaving")
        except (WorkerLostError, StartError):
            pass
        self.end()

    def kill(self) -> None:
        """End it at once; whoever waits for it is told. Any thread."""
        self._fork.kill()

    def end(self) -> str:
        """Make sure that it has ended, take its last lines, and say how it ended."""
        # When it closed its end of the channel it is most likely exiting: let it tell its own status.
        if not self._fork.exited.wait(0.0 if self._talking() else 0.5):
            self._fork.kill()
            self._fork.exited.wait(_REAP)
            how = "ended by the agent"
        else:
            how = describe(self._fork.status)
        self._log.close()
        self._fork.channel.close()
        return how

    def _talking(self) -> bool:
        """Whether its end of the channel is still open."""
        return not any(
            fd == self._fork.channel.fileno() and event & (select.POLLHUP | select.POLLERR)
            for fd, event in self._poll.poll(0)
        )

    def _send(self, message: dict[str, object]) -> None:
        try:
            self._fork.channel.send(message)
        except ChannelClosedError:
            raise WorkerLostError("crashed") from None

    def _expect(self, kind: type[Said], patience: float, doing: str) -> None:
        said = self._await(time.monotonic() + patience, f"not done {doing} after {patience:g} s")
        if isinstance(said, Failure):
            raise StartError(said)
        if not isinstance(said, kind):
            raise WorkerLostError("crashed", f"said {type(said).__name__} while {doing}")

    def _await(self, deadline: float, late: str) -> Said:
        """The next thing it says that is not log or publish."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkerLostError("timeout", late)
            said = self._attend({fd for fd, _ in self._poll.poll(math.ceil(left * 1000))})
            if said is not None:
                return said

    def _attend(self, ready: set[int]) -> Said | None:
        if self._logging and self._log.fileno() in ready and not self._log.read():
            self._poll.unregister(self._log)
            self._logging = False
        if self._fork.channel.fileno() not in ready:
            return None
        return self._hear()

    def _hear(self) -> Said | None:
        try:
            said = messages.said(self._fork.channel.receive())
        except ChannelClosedError:
            raise WorkerLostError("crashed") from None
        except ProtocolError as error:
            raise WorkerLostError("crashed", f"sent the agent what it must not: {error}") from None
        if isinstance(said, Log):
            self._journal.lines(said.level, [said.text])
        elif isinstance(said, Publish):
            self._journal.publish(said.topic, said.data)
        else:
            return said
        return None


def describe(status: int | None) -> str:
    """An exit status for a person; negative ones are signals."""
    if status is None:
        return "ended with the zygote"
    if status < 0:
        try:
            return f"killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"killed by signal {-status}"
    return f"left with exit status {status}"
