"""The process of one function: becomes it, waits for `go`, then handles one event at a time.

Forked by the zygote, and ends by os._exit. It trusts the agent; the agent distrusts it. context.py is the handler's
view, confinement/ the process's bounds.
"""

import faulthandler
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast

from device.die_with_parent import die_with_parent
from device.event import Event
from device.private_memory import keep_memory_private
from device.runtime.confinement.enter import Bounds, enter
from device.runtime.confinement.probe import mechanisms
from device.runtime.wire import messages
from device.runtime.wire.channel import Channel, ChannelClosedError, encode
from device.runtime.wire.messages import Assignment, Failure, Result
from device.runtime.worker import (
    clouds,
    fresh,
    handler,
    layered,
    log,
    migration,
    output,
    streams,
    surroundings,
    values,
)
from device.runtime.worker.clouds.facts import Facts
from device.runtime.worker.context import Context, Pin, leased_models, leased_pins, leased_sensors
from device.runtime.worker.coroutines import Coroutines
from device.runtime.worker.names import Names
from device.runtime.worker.reads import Reads
from device.runtime.worker.state import State
from device.runtime.worker.web import applications
from device.sandbox import rlimits

if TYPE_CHECKING:
    from device.hal.hardware import Hardware
    from device.infer.session import Model

T = TypeVar("T")
# Bytes.
LOG_ROOM = 1 << 20
_NOTHING = nullcontext()
_CANNOT = "what the handler returned cannot be sent: "


def main(end: socket.socket, printed: int, hardware: "Hardware", zygote: int) -> NoReturn:
    """Live as a worker: talk over `end`, print to the file descriptor `printed`. `zygote` is the parent's process id.

    Leaves by os._exit: things inherited from the zygote must be closed, flushed and joined by the zygote alone.
    """
    status = 1
    try:
        _settle(printed, zygote)
        channel = Channel(end, strict=False)
        assignment = messages.assignment(channel.receive())
        _confine(assignment, hardware, zygote)
        Worker(assignment, channel, hardware).live()
        status = 0
    except ChannelClosedError:
        status = 0
    except RefusedError:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _settle(printed: int, zygote: int) -> None:
    """Leave the zygote's session, signals and output behind."""
    die_with_parent(zygote)
    rlimits.apart()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    # Ctrl-C in a terminal is the agent's to act on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output.take(printed)
    faulthandler.enable(file=2)


def _confine(assignment: Assignment, hardware: "Hardware", zygote: int) -> None:
    code = f"{assignment.path}/{assignment.module.replace('.', '/')}.py"
    fresh.settle(assignment.function, assignment.scratch, code)
    enter(_bounds(assignment, hardware), mechanisms())
    # The kernel forgets it when a process changes its user.
    die_with_parent(zygote)
    keep_memory_private()
    # The log of a state may be as large as the state, and a little more.
    rlimits.limit(max(assignment.scratch_size, 2 * assignment.state_size + LOG_ROOM))
    rlimits.limit_memory(assignment.memory)


def _bounds(assignment: Assignment, hardware: "Hardware") -> Bounds:
    given = (assignment.layer, *assignment.folders)
    return Bounds(
        files=[Path(path) for path in (assignment.path, *assignment.models.values(), *given) if path],
        hardware=hardware.files([*assignment.outputs, *assignment.inputs], assignment.sensors, assignment.buses),
        states=Path(assignment.states),
        scratch=Path(assignment.scratch),
        scratch_size=assignment.scratch_size,
        processes=assignment.processes,
        network=assignment.network,
        layer=Path(assignment.layer) if assignment.layer else None,
        name=assignment.function,
    )


class RefusedError(Exception):
    """The worker failed to become the function, and has said why."""


class Worker:
    """One function in one process."""

    def __init__(self, assignment: Assignment, channel: Channel, hardware: "Hardware") -> None:
        self._assignment = assignment
        self._coroutines = Coroutines()
        self._channel = channel
        self._reads = Reads()
        self._pins = leased_pins(hardware, assignment.outputs, assignment.inputs, self._reads.note, channel.send)
        self._sensors = leased_sensors(hardware, assignment.sensors, self._reads.note)
        self._models = leased_models(list(assignment.models), lambda name: _load(Path(assignment.models[name])))
        self._runs = self._slow = 0
        if assignment.layer:
            layered.enter(Path(assignment.layer))
        self._names = Names(Path(assignment.path))
        self._states = Path(assignment.states)
        self._state = State(self._states / str(assignment.schema), assignment.state_size, self._reads.note)
        self._context = Context(
            assignment.function,
            assignment.version,
            assignment.config,
            # An input has no setter: an editor knows it by the name.
            cast("Mapping[str, Pin]", self._pins),
            self._sensors,
            self._models,
            self._state,
            channel.send,
        )

    def live(self) -> None:
        """Live until told to stop.

        Raises RefusedError when the start fails, ChannelClosedError when the agent has gone.
        """
        # The steps that can fail come before `go`, while the worker to be replaced still holds the hardware.
        handle = self._become("import", self._find)
        self._become("model", lambda: [self._models[name] for name in self._models])
        self._channel.send(messages.READY)
        if self._channel.receive() == messages.GO:
            self._become("state", self._migrate)
            self._become("hardware", lambda: [self._pins[name] for name in self._assignment.outputs])
            self._channel.send(messages.RUNNING)
            while (message := self._channel.receive()) != messages.STOP:
                outcome = self._outcome(handle, message)
                output.end_lines()
                self._answer(outcome)
        for each in (*self._pins.opened().values(), *self._sensors.opened().values()):
            each.close()
        self._state.close()
        self._channel.send(messages.STOPPED)

    def _find(self) -> handler.Handler:
        log.lead_here(self._channel.send)
        facts = Facts(**self._assignment.facts)  # pyright: ignore[reportArgumentType]
        surroundings.settle(clouds.variables(facts), facts.folder)
        found = handler.find(self._names, self._assignment.module, self._assignment.attribute)
        return applications.adapted(clouds.adapted(found, facts), self._coroutines)

    def _migrate(self) -> None:
        # Only after `go`: until then a worker of the old schema may still change the state.
        module, attribute = self._assignment.migrate
        if migration.due(self._states, self._assignment.schema):
            found = handler.find(self._names, module, attribute) if attribute else None

            def migrate(state: State, schema: int) -> object:
                return self._coroutines.settle(found(state, schema)) if found else None

            size = self._assignment.state_size
            migration.settle(self._states, self._assignment.schema, size, migrate if found else None)

    def _become(self, kind: str, step: Callable[[], T]) -> T:
        try:
            return step()
        except BaseException as error:
            kind = "memory" if isinstance(error, MemoryError) else kind
            self._channel.send(Failure(kind, handler.explain(error, self._names, self._assignment.network)).message())
            raise RefusedError from None

    def _outcome(self, handle: handler.Handler, message: dict[str, object]) -> Result | Failure:
        event, self._context.deadline = messages.event(message)
        self._context.request_id = event.id
        started = time.perf_counter()
        try:
            with self._state, self._attached(event) if message.get("attached") else _NOTHING:
                value = self._coroutines.settle(handle(event, self._context))
                if stream := streams.stream(event, value):
                    value = self._streamed(stream, message)
                # In the same event: it may hold context.state, or a part to be read.
                value = _formed(value)
            ms = (time.perf_counter() - started) * 1000
            return Result(value, self._levels(), round(ms, 3), self._reads.take(), *self._inferred())
        except _UnsendableError as error:
            return Failure("result", str(error), self._reads.take())
        except MemoryError:
            # Said after this block, when the frames full of memory are gone.
            pass
        except BaseException as error:
            return Failure(
                "exception", handler.explain(error, self._names, self._assignment.network), self._reads.take()
            )
        return Failure("memory", "the function met its memory limit")

    @contextmanager
    def _attached(self, event: Event) -> Generator[None]:
        """A body too long for an event is a file in the scratch folder while the event is handled."""
        file = Path(self._assignment.scratch) / "request-body"
        file.unlink(missing_ok=True)
        try:
            self._channel.detach(file)
            cast("dict[str, object]", event.data)["file"] = str(file)
            yield
        finally:
            file.unlink(missing_ok=True)

    def _streamed(self, stream: streams.Stream, message: dict[str, object]) -> object:
        """Sent in parts when a client takes them; a call has room for the whole only."""
        taken = message.get("streams")
        return stream.send(self._channel, self._coroutines) if taken else stream.gather(self._coroutines)

    def _inferred(self) -> tuple[int, int]:
        """How often the models were run since this was last asked, and how often too slowly."""
        if not self._assignment.models:
            return 0, 0
        before = self._runs, self._slow
        models = self._models.opened().values()
        self._runs, self._slow = sum(each.runs for each in models), sum(each.slow for each in models)
        return self._runs - before[0], self._slow - before[1]

    def _levels(self) -> dict[str, bool]:
        return {name: bool(self._pins[name].value) for name in self._assignment.outputs}

    def _answer(self, outcome: Result | Failure) -> None:
        try:
            packet = encode(outcome.message())
        except Exception as error:
            packet = encode(Failure("result", handler.shorten(f"{_CANNOT}{type(error).__name__}: {error}")).message())
        self._channel.send_packet(packet)


class _UnsendableError(Exception):
    """The handler returned a value without a form in JSON."""


def _formed(value: object) -> object:
    """The returned value in JSON; raises _UnsendableError with the place of the part without a form."""
    try:
        return values.sendable(value, "result")
    except values.NotJsonError as error:
        raise _UnsendableError(handler.shorten(f"{_CANNOT}{error}")) from None


def _load(folder: Path) -> "Model":
    # Imported here, for a worker without models must not pay for the inference library.
    from device.infer import files, session

    return session.load(folder, files.read_manifest(folder))
