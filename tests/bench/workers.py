"""A worker's beginning and end: warm start, restart after a crash, and its end at a deadline.

*Warm start*: from asking the zygote for a worker to the answer to its first event (fork, limits, import of the
handler, models loaded, hardware opened); the reference is a fresh interpreter that imports the same handler, or loads
the same model with bare onnxruntime, and prints its first answer. *Crash*: from sending the event in which the worker
ends itself to the answer to the next one, by way of everything in between; the reference is again a fresh interpreter.
*Deadline*: how long after its deadline a worker that sleeps on has ended and was reaped; the reference is a bare child,
waited for with poll, killed and reaped by its parent.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import boards
from device.errors import LamplightError
from device.event import Event
from device.generation import InstalledFunction
from device.hal.hardware import Hardware
from device.runtime.backoff import Backoff
from device.runtime.journal import Journal
from device.runtime.policy import Policy
from device.runtime.queue.overflow import Waiting
from device.runtime.states import States
from device.runtime.supervisor import Supervisor
from device.runtime.workers.process import WorkerLostError, WorkerProcess
from device.runtime.workers.starter import Starter
from device.runtime.workers.zygotes import Zygotes
from tests.bench import installed
from tests.bench.figures import Figure, spread
from tests.bench.sampling import in_turn, processors

_MODEL = Path(__file__).parents[2] / "models" / "presence"
_PLAIN = """
import os, time


def handler(event, context):
    if event.data == "crash":
        os._exit(1)
    if event.data == "hang":
        time.sleep(3600)
    return event.data
"""
_INFERS = "def handler(event, context):\n    return context.models['presence'].run([100.0] * 32).value\n"
_FRESH = "import main; from types import SimpleNamespace as S; print(main.handler(S(data=1), None), flush=True)"
_FRESH_INFERS = f"""
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession({str(_MODEL / "model.onnx")!r}, options)
print(session.run(None, {{"lux": numpy.full((1, 32), 100.0, numpy.float32)}}), flush=True)
"""
# In seconds; nothing comes before it.
_DEADLINE = 0.05


def measure(quick: bool) -> list[Figure]:
    """Across processors and on one."""
    return [figure for pinned in (False, True) for figure in _measure(2 if quick else 21, pinned)]


def _measure(rounds: int, pinned: bool) -> Generator[Figure, None, None]:
    with processors(pinned), tempfile.TemporaryDirectory(prefix="lamplight-bench-") as temporary:
        folder = Path(temporary)
        plain = installed.function(folder / "plain", "plain", _PLAIN, {}, {})
        models = {"presence": installed.model(_MODEL)}
        infers = installed.function(folder / "infers", "infers", _INFERS, {}, models)
        hardware = Hardware(boards.load("lamplight/simulated"), folder / "hardware.sock")
        fresh = "python3, started anew"
        with _starter(hardware, folder / "scratch") as starter:
            sides = in_turn(lambda: _warm(starter, plain), lambda: _fresh(folder / "plain", _FRESH), rounds)
            yield _figure("warm start → first result", sides, fresh, 0.2, pinned)
            sides = in_turn(lambda: _warm(starter, infers), lambda: _fresh(folder, _FRESH_INFERS), rounds)
            yield _figure("warm start → first result, with a model", sides, f"{fresh}, with onnxruntime", 0.1, pinned)
            sides = in_turn(lambda: _overrun(starter, plain), _bare_overrun, rounds)
            yield _figure("deadline → worker gone", sides, "a bare child: poll, kill, wait", None, pinned)
        # Every crash counts as the first: what the backoff adds to the later ones is chosen, not a cost.
        policy = Policy(backoff=Backoff(healthy=0.0))
        supervisor = Supervisor(hardware, lambda *_: None, folder / "crashes", folder / "states", policy)
        try:
            supervisor.switch(installed.generation(plain))
            sides = in_turn(lambda: _crash(supervisor), lambda: _fresh(folder / "plain", _FRESH), rounds)
            yield _figure("crash → next result", sides, fresh, None, pinned)
        finally:
            supervisor.close()


def _figure(
    name: str, sides: tuple[list[float], list[float]], against: str, goal: float | None, pinned: bool
) -> Figure:
    return Figure(name, "ms", spread(sides[0], 1e3), spread(sides[1], 1e3), against, goal, pinned)


@contextlib.contextmanager
def _starter(hardware: Hardware, scratch: Path) -> Generator[Starter, None, None]:
    zygotes = Zygotes(hardware)
    try:
        yield Starter(zygotes, scratch, States(scratch / "states"), Policy())
    finally:
        zygotes.close()


def _start(starter: Starter, function: InstalledFunction) -> WorkerProcess:
    journal = Journal(lambda *_: None, lambda *_: None, function, Policy(), time.monotonic)
    worker = starter.start(function, journal)
    worker.go(10.0)
    return worker


def _handle(worker: WorkerProcess, data: object, timeout: float = 30.0) -> None:
    event = Event("1", "call", "lamplight.call", time.time(), data)
    worker.handle(Waiting.of(event), timeout)


def _warm(starter: Starter, function: InstalledFunction) -> float:
    started = time.perf_counter()
    worker = _start(starter, function)
    _handle(worker, 1)
    took = time.perf_counter() - started
    worker.end()
    return took


def _fresh(folder: Path, code: str) -> float:
    started = time.perf_counter()
    # Quiet as the runtime's own: a telemetry thread would be counted against the reference.
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        if not child.stdout.readline():
            raise ChildProcessError("the reference gave no answer")
        return time.perf_counter() - started


def _overrun(starter: Starter, function: InstalledFunction) -> float:
    worker = _start(starter, function)
    started = time.perf_counter()
    with contextlib.suppress(WorkerLostError):
        _handle(worker, "hang", _DEADLINE)
    worker.end()
    return time.perf_counter() - started - _DEADLINE


def _bare_overrun() -> float:
    read, write = os.pipe()
    child = subprocess.Popen(["sleep", "3600"], pass_fds=[write])
    started = time.perf_counter()
    waiting = select.poll()
    waiting.register(read, select.POLLIN)
    waiting.poll(_DEADLINE * 1000)
    child.send_signal(signal.SIGKILL)
    child.wait()
    took = time.perf_counter() - started - _DEADLINE
    for fd in (read, write):
        os.close(fd)
    return took


def _crash(supervisor: Supervisor) -> float:
    started = time.perf_counter()
    with contextlib.suppress(LamplightError):
        supervisor.call("plain", "crash")
    supervisor.call("plain", 1)
    return time.perf_counter() - started
