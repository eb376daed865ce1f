"""The warm parent of all workers: a process of one thread. It imports the slow modules once and forks on request.

`python -m device.runtime.zygote.process FD PID SPACE ORDERS HELD [infers]`: FD is a socket to the agent, to
workers/zygote.py; PID is the agent's; SPACE is a user namespace to be joined (device/users), or zero for none; ORDERS
and HELD are the guardian's pipe (guardian.py), or two zeros for none.
Requests carry the worker's channel and log pipe as file descriptors; answers give the new process id and, later, how it
ended. It ends, and its workers with it, when the agent does. User code runs in the workers only.
"""

import contextlib
import gc
import importlib
import json
import os
import pickle
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from device.die_with_parent import die_with_parent
from device.private_memory import keep_memory_private
from device.runtime.confinement import probe
from device.runtime.wire.channel import adopt
from device.runtime.worker import process as worker
from device.runtime.zygote import guardian, libraries
from device.users import asking

if TYPE_CHECKING:
    from device.hal.hardware import Hardware

MAX_REQUEST = 64 * 1024
# The argument to have it warm the inference library.
INFERS = "infers"
# From -1000, never ended for want of memory, to 1000, always first (proc(5)); most processes have 0.
_OOM_SCORE = "100"


class Zygote:
    """Forks, ends and reaps workers. `waker` is a pipe, readable when a child has ended."""

    def __init__(self, agent: socket.socket, waker: tuple[int, int], hardware: "Hardware", held: Sequence[int]) -> None:
        self._agent = agent
        self._woken = waker[0]
        # Closed in every worker: held open, these would outlive this process.
        self._own = (*waker, *held)
        self._hardware = hardware
        self._children: dict[int, int] = {}

    def serve(self) -> None:
        """Serve until the agent goes; the workers go with it, even after a fault here."""
        try:
            self._serve()
        finally:
            for pid in self._children.values():
                _kill(pid)

    def _serve(self) -> None:
        waiting = select.poll()
        waiting.register(self._agent, select.POLLIN)
        waiting.register(self._woken, select.POLLIN)
        while True:
            ready = {fd for fd, _ in waiting.poll()}
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._woken, 4096)
                self._reap()
            if self._agent.fileno() in ready and not self._obey():
                return

    def _obey(self) -> bool:
        try:
            packet, fds, _, _ = socket.recv_fds(self._agent, MAX_REQUEST, 2)
        except ConnectionResetError:
            # An agent killed with reports still unread.
            return False
        if not packet:
            return False
        request = json.loads(packet)
        if request["do"] == "fork":
            self._fork(request["worker"], *fds)
        elif request["worker"] in self._children:
            _kill(self._children[request["worker"]])
        return True

    def _fork(self, number: int, channel: int, log: int) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            # No memory, or too many processes: one worker less, and no reason to end the others.
            print(f"zygote: {error}", file=sys.stderr)  # noqa: T201
            self._say({"worker": number, "status": 1})
        else:
            if not pid:
                self._become_worker(channel, log, parent)
            self._children[number] = pid
            self._say({"worker": number, "pid": pid})
        os.close(channel)
        os.close(log)

    def _become_worker(self, channel: int, log: int, parent: int) -> NoReturn:
        self._agent.close()
        for fd in self._own:
            os.close(fd)
        worker.main(adopt(channel), log, self._hardware, parent)

    def _reap(self) -> None:
        for number, pid in list(self._children.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                # The processes left behind by the function. The group's number is not given away while a member lives.
                _kill_group(pid)
                del self._children[number]
                self._say({"worker": number, "status": os.waitstatus_to_exitcode(status)})

    def _say(self, report: dict[str, object]) -> None:
        with contextlib.suppress(OSError):
            self._agent.send(json.dumps(report).encode())


def _kill(pid: int) -> None:
    """End an unreaped worker, and everything in its process group."""
    _kill_group(pid)
    # It may not have made the group yet.
    os.kill(pid, signal.SIGKILL)


def _kill_group(pid: int) -> None:
    # macOS says EPERM for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _wake_on_child() -> tuple[int, int]:
    """A pipe, readable when a child ends."""
    woken, wake = os.pipe()
    for fd in (woken, wake):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    # With the default action no byte would be written.
    signal.signal(signal.SIGCHLD, _ignore)
    return woken, wake


def _ignore(number: int, frame: FrameType | None) -> None:
    pass


def _warm_up(hardware: "Hardware") -> None:
    try:
        hardware.prepare()
    except Exception as error:
        # Functions without hardware still run; those with some are told the same when they open it.
        print(f"zygote: {error}", file=sys.stderr)  # noqa: T201


def _warm_up_inference() -> None:
    """With a first session made, and every import for loading a model: the workers then share its pages."""
    # Where it is not installed, the worker's own import says so to the right function.
    with contextlib.suppress(Exception):
        importlib.import_module("device.infer.ort").prepare()
        for name in ("files", "session"):
            importlib.import_module(f"device.infer.{name}")


def _go_first() -> None:
    """Have the kernel end this process and its workers before others when memory runs out: the largest is a worker.

    The agent's service is spared by it (OOMScoreAdjust), and so would be its children.
    """
    # Some containers keep it closed, and other systems than Linux have none.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)


def main() -> None:
    """Take the hardware's description from the agent, warm up, serve."""
    _go_first()
    keep_memory_private()
    agent = adopt(int(sys.argv[1]))
    parent, space, orders, held = map(int, sys.argv[2:6])
    # While warming up, the end of the agent ends this process. From then on the closed socket does, after the workers.
    die_with_parent(parent, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if space:
        # Before there are threads, and while nothing was found out about this process's rights.
        asking.join(space)
        os.close(space)
    hardware: Hardware = pickle.loads(agent.recv(MAX_REQUEST))
    _warm_up(hardware)
    probe.prepare()
    if INFERS in sys.argv[6:]:
        _warm_up_inference()
    libraries.hide()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if orders:
        guardian.fork(orders, (held, agent.fileno()), hardware)
    Zygote(agent, _wake_on_child(), hardware, [held] if held else []).serve()


if __name__ == "__main__":
    main()
