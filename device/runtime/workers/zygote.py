"""The agent's side of the zygote: starts it, asks it for workers, hears how they ended, replaces it when it dies.

It knows processes; process.py gives the workers their functions.
"""

import contextlib
import json
import os
import pickle
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from device.errors import LamplightError
from device.runtime.backoff import Backoff
from device.runtime.wire import channel
from device.runtime.wire.channel import Channel
from device.runtime.zygote.guardian import Orders
from device.runtime.zygote.process import INFERS, MAX_REQUEST

if TYPE_CHECKING:
    from device.hal.hardware import Hardware

# Warming up the zygote imports Blinka, and perhaps an inference library, on a slow card.
PATIENCE = 60.0
# User code's share of the agent's environment: passwords must stay out.
_PASSED_ON = ("PATH", "LANG", "LC_", "TZ", "PYTHON", "BLINKA_", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
# Inference libraries start threads at import unless told otherwise; forking needs a process without.
_QUIET = {"ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class ForkError(LamplightError):
    """The fork of a worker failed; the code it was to run is not at fault."""

    excused = True


class Fork:
    """A forked worker: its channel, its log pipe, and its end.

    `exited` is set when it has ended; `status` is then its exit status, negative for a signal, None when its zygote
    died first.
    """

    def __init__(self, number: int, end: socket.socket, log: int, zygote: "Zygote") -> None:
        self.number = number
        self.pid = 0
        self.channel = Channel(end, waits=False)
        self.log = log
        self.born = threading.Event()
        self.exited = threading.Event()
        self.status: int | None = None
        self._zygote = zygote

    def kill(self) -> None:
        """End it and its children at once. Any thread; `exited` follows."""
        self._zygote.ask({"do": "kill", "worker": self.number})

    def ended(self, status: int | None) -> None:
        """It is gone: wake its waiting threads and the reader of its channel."""
        self.status = status
        self.exited.set()
        self.born.set()
        self.channel.hang_up()


class Zygote:
    """Keeps one zygote alive, on a thread of its own: this thread starts the zygote and hears it.

    (The kernel ties the zygote's life to the starting thread, so the thread must last.) `infers`: the zygote warms the
    inference library too. `space` is a user namespace for it to join, if any.
    """

    def __init__(self, hardware: "Hardware", infers: bool, space: int | None = None) -> None:
        self._hardware = hardware
        self._infers = infers
        self._space = space or 0
        self._lock = threading.Lock()
        self._up = threading.Condition(self._lock)
        self._socket: socket.socket | None = None
        self._pid = 0
        self._forks: dict[int, Fork] = {}
        self._orders: Orders | None = None
        self._outputs: dict[str, bool] = {}
        self._count = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._live, name="zygote", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The zygote's process id; 0 while there is none."""
        return self._pid

    def fork(self) -> Fork:
        """A new worker. Raises ForkError when the fork fails."""
        try:
            return self._fork()
        except OSError as error:
            raise ForkError("no worker could be started", str(error), "end what uses up memory or files") from None

    def _fork(self) -> Fork:
        self._wait_for_zygote()
        mine, theirs = channel.pair()
        read, write = os.pipe()
        os.set_blocking(read, False)
        fork = self._enrol(mine, read)
        with theirs:
            asked = self.ask({"do": "fork", "worker": fork.number}, (theirs.fileno(), write))
        os.close(write)
        if not asked or not fork.born.wait(PATIENCE) or not fork.pid:
            fork.channel.close()
            os.close(read)
            raise ForkError("no worker could be started", "the zygote did not answer", "look for its error in the log")
        return fork

    def _wait_for_zygote(self) -> None:
        with self._up:
            self._up.wait_for(lambda: self._socket is not None or self._closed.is_set(), PATIENCE)
            if self._socket is None:
                raise ForkError("no worker could be started", "there is no zygote", "look for its error in the log")

    def _enrol(self, mine: socket.socket, read: int) -> Fork:
        with self._lock:
            self._count += 1
            fork = Fork(self._count, mine, read, self)
            self._forks[fork.number] = fork
            return fork

    def ask(self, request: dict[str, object], fds: tuple[int, ...] = ()) -> bool:
        """Send a request to the zygote; returns whether there is one.

        When it is gone, its workers are ending or have ended.
        """
        with self._lock:
            try:
                if self._socket:
                    socket.send_fds(self._socket, [json.dumps(request).encode()], fds)
            except OSError:
                return False
            return self._socket is not None

    def entrust(self, outputs: Mapping[str, bool]) -> None:
        """Have the guardian drive these outputs to these levels, should the agent end before it does so itself."""
        with self._lock:
            self._outputs = dict(outputs)
            if self._orders:
                self._orders.entrust(outputs)

    def close(self) -> None:
        """End the zygote and every worker."""
        with self._up:
            self._closed.set()
            self._up.notify_all()
            if self._socket:
                _shut(self._socket)
        self._thread.join()

    def _live(self) -> None:
        backoff = Backoff()
        while not self._closed.is_set():
            started = time.monotonic()
            try:
                process, mine = self._start()
            except OSError as error:
                print(f"runtime: the zygote cannot be started: {error}", file=sys.stderr)  # noqa: T201
            else:
                self._hear(mine)
                self._bury(process, mine)
            backoff = backoff.failed(time.monotonic() - started)
            self._closed.wait(backoff.delay(random.random()))

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        mine, theirs = channel.pair()
        # Without -P the agent's working directory would be on every function's path.
        orders = None if self._infers else Orders()
        fds = orders.fds if orders else ()
        command = [sys.executable, "-P", "-m", "device.runtime.zygote.process"]
        command += map(str, (theirs.fileno(), os.getpid(), self._space))
        command += map(str, fds) if fds else ["0", "0", INFERS]
        with theirs, orders.passing() if orders else contextlib.nullcontext():
            process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno(), *fds, *([self._space] if self._space else [])],
                stdin=subprocess.DEVNULL,
                env=environment(dict(os.environ)),
                # Ctrl-C in the agent's terminal is not for the zygote.
                start_new_session=True,
            )
        mine.send(pickle.dumps(self._hardware))
        with self._up:
            if orders:
                orders.entrust(self._outputs)
            self._socket, self._pid, self._orders = mine, process.pid, orders
            if self._closed.is_set():
                _shut(mine)
            self._up.notify_all()
        return process, mine

    def _hear(self, mine: socket.socket) -> None:
        """Reports of the zygote, until it has gone."""
        while True:
            try:
                packet = mine.recv(MAX_REQUEST)
            except OSError:
                return
            if not packet:
                return
            self._report(json.loads(packet))

    def _report(self, report: dict[str, int]) -> None:
        with self._lock:
            fork = self._forks[report["worker"]]
            if "status" in report:
                del self._forks[fork.number]
        if "status" in report:
            fork.ended(report["status"])
        else:
            fork.pid = report["pid"]
            fork.born.set()

    def _bury(self, process: subprocess.Popen[bytes], mine: socket.socket) -> None:
        with self._lock:
            self._socket, self._pid = None, 0
            orphans, self._forks = self._forks, {}
            orders, self._orders = self._orders, None
        if orders:
            # The outputs of its workers are this process's to put right.
            orders.close()
        mine.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for fork in orphans.values():
            _end_group(fork.pid)
            fork.ended(None)


def _end_group(pid: int) -> None:
    """End the children of an orphaned worker.

    It ends the worker itself too, where the kernel let it live (confinement/rlimits.py).
    """
    # The number of a group is not given away while one of its members lives.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if pid:
            os.killpg(pid, signal.SIGKILL)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The other side went first.
        pass


def environment(mine: dict[str, str]) -> dict[str, str]:
    """The zygote's environment, out of the agent's."""
    return {name: value for name, value in mine.items() if name.startswith(_PASSED_ON)} | _QUIET
