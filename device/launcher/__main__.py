"""`python -m device.launcher --config agent.toml`: the process started by a board's service manager.

It starts the agent and starts it again when it ends, for ever, until SIGTERM or SIGINT: then it ends the agent in order
and gives its exit code. It also ends when another start would be useless: the agent said, outside of a trial, that its
configuration is wrong (2), missing (3), or refused (5). Each start of a version on trial is counted beforehand, on
disk; a trial is over when the agent says it works, and lost when its tries or its time are used up. Starts of any
version are counted too, for safe mode (starts.py). An agent that hangs is ended; the service manager watches this.
"""

import argparse
import contextlib
import fcntl
import functools
import logging
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TextIO

from device import config, durable, logs
from device.die_with_parent import die_with_parent
from device.errors import LamplightError, RejectedError
from device.launcher import ledger, line, pulse, starts
from device.launcher.ledger import AGENTS, BUILT_IN, Ledger
from device.launcher.pulse import Pulse
from device.launcher.service import Service
from device.launcher.starts import SETTLED, Starts
from device.private_memory import keep_memory_private
from device.protocol.errors import ProtocolError
from device.protocol.fields import table, text
from device.runtime.backoff import Backoff

# A version on trial has so many seconds, by a monotonic clock, to prove itself.
PROOF = 180.0
# Seconds for an agent to end in order before it is killed.
GRACE = 15.0
# Seconds for an agent to end after its launcher was killed.
ORPHAN = 60.0
# Seconds for an agent to make room for the launcher's next line.
TELL = 1.0
FINAL_CODES = (2, 3, 5)

_log = logging.getLogger("launcher")


class Launcher:
    """The agent of one board. `arguments` are the agent's, `state` is its state folder; `proof` as PROOF, `settled`
    as SETTLED.
    """

    def __init__(self, arguments: Sequence[str], state: Path, proof: float = PROOF, settled: float = SETTLED) -> None:
        self._arguments = arguments
        self._state = state
        self._folder = state / AGENTS
        self._proof = proof
        self._settled = settled
        self._service = Service()
        self._ledger = self._load()
        self._starts = self._load_starts()
        self._backoff = Backoff(first=1.0)
        self._stopping = False
        self._lack = ""
        self._awake, self._wake = socket.socketpair()
        self._child: subprocess.Popen[bytes] | None = None
        self._pulse = Pulse(time.monotonic(), speaks=False)

    def stop(self) -> None:
        """Ask `run` to end the agent and return; safe in a signal handler."""
        self._stopping = True

    def wakeup(self) -> int:
        """A file descriptor: a write to it wakes `run`."""
        self._wake.setblocking(False)
        self._awake.setblocking(False)
        return self._wake.fileno()

    def run(self) -> int:
        """Keep the agent running; gives the exit code."""
        while True:
            version = self.choose()
            self._tidy()
            self._count(starts.begin(self._starts, starts.this_boot()))
            began = time.monotonic()
            code = self._serve(version)
            if self._stopping:
                if code == 0:
                    self._settle(ledger.refund(self._ledger))
                    self._count(starts.refund(self._starts))
                return code if code >= 0 else 128 - code
            if self._ledger.running != version:
                continue
            _log.warning("The agent ended with code %s", code)
            if code in FINAL_CODES and self._ledger.trial is None:
                self._count(starts.refund(self._starts))
                return code
            self._pause(time.monotonic() - began)

    # The version to start

    def _load(self) -> Ledger:
        try:
            return ledger.load(self._folder / "ledger.json")
        except (ProtocolError, OSError) as error:
            _log.error("%s; starting the built-in agent", error)
            return Ledger(lost=str(error))

    def _load_starts(self) -> Starts:
        try:
            return starts.load(self._folder / "starts.json")
        except (ProtocolError, OSError) as error:
            _log.error("%s; starts are counted anew", error)
            return Starts()

    def choose(self) -> str:
        """The version to start now: whole on disk, and counted if it is on trial."""
        try:
            self._keep(ledger.start(self._ledger))
        except OSError as error:
            # An uncounted start must not be made; a proven version starts on any disk.
            _log.error("The trial of the new agent waits: %s", error)
            return self._ledger.active if self._whole(self._ledger.active) else BUILT_IN
        while not self._whole(self._ledger.running):
            reason = f"agent {self._ledger.running} is damaged on disk"
            _log.error("%s", reason)
            self._settle(ledger.lose(self._ledger, reason))
        return self._ledger.running

    def _whole(self, version: str) -> bool:
        if version == BUILT_IN:
            return True
        # Imported here: 2 MB for as long as the board runs, saved on a board without a newer version.
        from device.artifact import archive

        try:
            return archive.digest(self._folder / version) == version
        except (LamplightError, OSError):
            return False

    def _keep(self, new: Ledger) -> None:
        """Make `new` durable, then believe it."""
        if new != self._ledger:
            ledger.save(self._folder / "ledger.json", new)
            self._ledger = new

    def _settle(self, new: Ledger) -> None:
        """As `_keep`, but believe it even when the disk refuses it now."""
        try:
            self._keep(new)
        except OSError as error:
            _log.error("The ledger could not be written: %s", error)
        self._ledger = new

    def _count(self, new: Starts) -> None:
        """Make `new` durable and believe it; a proven version starts even on a full or failing disk."""
        if new != self._starts:
            try:
                starts.save(self._folder / "starts.json", new)
            except OSError as error:
                _log.error("The count of starts could not be written: %s", error)
        if new.safe and not self._starts.safe:
            _log.error("%s", new.reason)
        self._starts = new

    def _tidy(self) -> None:
        """Remove the files of versions no longer needed; a failure can wait."""
        try:
            durable.sweep(self._folder)
            for path in self._folder.iterdir():
                if path.is_dir() and path.name not in self._ledger.versions():
                    durable.remove(path)
        except OSError as error:
            _log.warning("What is no longer needed could not be removed: %s", error)

    # One run of the agent

    def _serve(self, version: str) -> int:
        """Start this version and hear it until it ends; gives its exit code, negative for a signal."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._child = self._start(version, theirs)
            self._pulse = Pulse(time.monotonic(), speaks=version == BUILT_IN)
            self._service.ready()
            self._service.status(self._starts.reason or f"agent {version[:12] or 'as installed'}")
            theirs.close()
            self._tell(ours, version)
            code = self._hear(ours, version)
        self._child = None
        return code

    def _start(self, version: str, end: socket.socket) -> subprocess.Popen[bytes]:
        environment = {**os.environ, line.VARIABLE: str(end.fileno())}
        if version != BUILT_IN:
            paths = [str(self._folder / version), os.environ.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
            # The folder must keep the signed content.
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "device.agent", *self._arguments],
            env=environment,
            pass_fds=[end.fileno()],
            # An agent that does not hear the end of the line yet is ended by the kernel. There is one thread here.
            preexec_fn=functools.partial(die_with_parent, os.getpid(), signal.SIGTERM),
        )

    def _hear(self, ours: socket.socket, version: str) -> int:
        assert self._child is not None
        self._lack = ""
        trial_ends, settles = time.monotonic() + self._proof, time.monotonic() + self._settled
        buffer = bytearray()
        while (code := self._child.poll()) is None:
            if self._stopping:
                return self._end()
            on_trial = self._ledger.trial is not None and self._ledger.trial.version == version
            left = trial_ends - time.monotonic() if on_trial else None
            if left is not None and left <= 0:
                self._settle(ledger.revert(self._ledger, self._unproved()))
                return self._end()
            self._look_after(settles)
            self._wait(ours, min(pulse.PERIOD, *([left] if left is not None else []), self._settled))
            for each in _received(ours, buffer):
                self._answer(ours, version, each)
        return code

    def _look_after(self, settles: float) -> None:
        """Act on the time: the start has lasted, or the agent hangs."""
        now = time.monotonic()
        if now >= settles:
            self._count(starts.settle(self._starts))
        if self._pulse.hangs(now) and self._child is not None:
            _log.error("The agent hangs: its main loop has said nothing for too long; it is killed")
            self._child.kill()

    def _unproved(self) -> str:
        lack = f": {self._lack}" if self._lack else ""
        return f"it did not prove itself within {self._proof:g} s{lack}"

    def _wait(self, ours: socket.socket | None, seconds: float | None) -> None:
        """Return when the agent said something, a signal came, or `seconds` have passed, at most the watchdog's."""
        self._service.alive()
        longest = [each for each in (seconds, self._service.period) if each is not None]
        heard = [self._awake, *([ours] if ours and ours.fileno() >= 0 else [])]
        select.select(heard, [], [], min(longest, default=None))
        with contextlib.suppress(BlockingIOError):
            self._awake.recv(4096)

    def _end(self) -> int:
        assert self._child is not None
        if self._stopping:
            self._service.stopping()
        self._child.terminate()
        try:
            return self._child.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def _answer(self, ours: socket.socket, version: str, said: bytes) -> None:
        refused = ""
        try:
            fields = line.parse(said)
            if "alive" in fields:
                self._pulse.beat(time.monotonic())
                return
            if "ask" in fields:
                self._grant(fields)
            elif "fresh" in fields:
                self._forget_starts()
            elif "waits" in fields:
                self._lack = text(fields, "waits", "line")
            elif fields.get("proved") == version == self._ledger.running:
                self._keep(ledger.prove(self._ledger))
        except (ProtocolError, LamplightError, OSError) as error:
            refused = str(error)
            _log.error("The agent does not get what it asked for: %s", refused)
        self._tell(ours, version, refused)

    def _grant(self, fields: dict[str, object]) -> None:
        version = ledger.version(fields["ask"], "ask")
        if self._ledger.trial is not None:
            raise RejectedError("There is a version on trial already")
        if not self._whole(version):
            raise RejectedError(f"Agent {version} is not there, or not whole")
        self._keep(ledger.ask(self._ledger, version, table(fields.get("note", {}), "ask.note")))
        self._count(Starts())

    def _forget_starts(self) -> None:
        """Something new is to run: it gets all starts, and ends safe mode. Raises OSError when the disk refuses it."""
        if self._starts != Starts():
            starts.save(self._folder / "starts.json", Starts())
            self._starts = Starts()

    def _tell(self, ours: socket.socket, version: str, refused: str = "") -> None:
        # An agent that reads nothing must not stop the launcher for long.
        with contextlib.suppress(OSError):
            ours.settimeout(TELL)
            ours.sendall(line.encode(line.told(self._ledger, version, refused, self._starts.reason)))
        with contextlib.suppress(OSError):
            ours.setblocking(False)

    def _pause(self, ran: float) -> None:
        """Wait before the next start, the longer the more often it ended; a trial is to come to its end soon."""
        self._backoff = self._backoff.failed(ran)
        delay = 1.0 if self._ledger.trial else self._backoff.delay(random.random())
        until = time.monotonic() + delay
        while not self._stopping and (left := until - time.monotonic()) > 0:
            self._wait(None, left)


def _received(ours: socket.socket, buffer: bytearray) -> list[bytes]:
    """The lines that have arrived whole."""
    try:
        while part := ours.recv(4096):
            buffer += part
        # The agent closed its end and is about to end: its last line has come, and waiting is over.
        ours.close()
    except (BlockingIOError, OSError):
        pass
    return list(line.split(buffer))


@contextlib.contextmanager
def _only_one(state: Path) -> Generator[None]:
    """Hold the launcher's lock, once all agents of earlier launchers are gone; raises RejectedError."""
    durable.make_folder(state)
    durable.make_folder(state / AGENTS)
    with (state / AGENTS / "lock").open("w") as mine, (state / "lock").open("a") as agents:
        _lock(mine, 0, f"another launcher already uses {state}")
        _lock(agents, ORPHAN, f"an agent that this launcher did not start uses {state}")
        fcntl.flock(agents, fcntl.LOCK_UN)
        yield


def _lock(file: TextIO, patience: float, why: str) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                raise RejectedError("The launcher is not started", why, "Stop that one first") from None
            time.sleep(0.1)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m device.launcher", description="Run Lamplight's agent on this board, in its newest good version."
    )
    parser.add_argument("--config", type=Path, required=True, help="the board's agent.toml")
    parser.add_argument("--proof", type=float, default=PROOF, help="seconds in which a new version must prove itself")
    parser.add_argument("--settled", type=float, default=SETTLED, help="seconds after which a start has lasted")
    parser.add_argument("--debug", action="store_true", help="log everything, show tracebacks")
    options = parser.parse_args(arguments)
    keep_memory_private()
    logs.to_stderr(options.debug)
    passed_on = ["--config", str(options.config), *(["--debug"] if options.debug else [])]
    try:
        state = config.load(options.config).state
        with _only_one(state):
            launcher = Launcher(passed_on, state, options.proof, options.settled)
            _listen_to_signals(launcher)
            return launcher.run()
    except (LamplightError, OSError) as error:
        if options.debug:
            raise
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code if isinstance(error, LamplightError) else 1


def _listen_to_signals(launcher: Launcher) -> None:
    signal.set_wakeup_fd(launcher.wakeup(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: launcher.stop())
    # Its arrival wakes the loop, and the loop acts on it.
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)


if __name__ == "__main__":
    sys.exit(main())
