"""All functions of the board: checks a generation, switches to it, passes on calls, tells how everybody is doing.

The agent's only door to the runtime. One switch at a time; events are each dispatcher's own.
"""

import contextlib
import itertools
import shutil
import threading
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from device.errors import BusyError, LamplightError, NotFoundError, RejectedError, about
from device.generation import Generation, InstalledFunction
from device.hal import leases
from device.hal.errors import PinBusyError
from device.health import FunctionHealth, OutputLevel, SensorHealth
from device.protocol.manifest import FunctionManifest
from device.protocol.messages import CALL
from device.protocol.reasons import TOO_BUSY
from device.protocol.triggers import SensorTrigger
from device.runtime import permissions
from device.runtime.cgroups.groups import Groups
from device.runtime.dispatcher import Dispatcher
from device.runtime.journal import Emit, Journal
from device.runtime.levels import Levels
from device.runtime.policy import Policy
from device.runtime.states import States
from device.runtime.trigger_set import TriggerSet
from device.runtime.workers.process import StartError, WorkerProcess
from device.runtime.workers.starter import Starter, holders, safe_levels
from device.runtime.workers.zygote import ForkError
from device.runtime.workers.zygotes import Zygotes
from device.triggers import Sources, chains

if TYPE_CHECKING:
    from device.hal.hardware import Hardware

Warmed = tuple[InstalledFunction, Journal, list[WorkerProcess]]
# As Warmed, or with the reason why there are no workers.
Raised = tuple[InstalledFunction, Journal, list[WorkerProcess] | str]
# How many functions warm up at the same time.
_WARMING = 8
# Seconds between two looks whether a line is free.
_AGAIN = 0.02


class Supervisor:
    """All functions of the board; they start with the first `switch`.

    `emit` takes records from any thread; `scratch` is a folder, emptied at start, `states` one for the functions'
    durable states. `sources` and `groups` are closed with it.
    """

    def __init__(
        self,
        hardware: "Hardware",
        emit: Emit,
        scratch: Path,
        states: Path,
        policy: Policy | None = None,
        sources: Sources | None = None,
        groups: Groups | None = None,
    ) -> None:
        self._hardware = hardware
        self._sources = sources or Sources(hardware, emit)
        self._emit = self._sources.noting(emit)
        self._policy = policy or Policy()
        shutil.rmtree(scratch, ignore_errors=True)
        self._zygotes = Zygotes(hardware)
        self._groups = groups or Groups()
        self._states = States(states)
        folders = self._sources.folders
        self._levels = Levels(self._emit)
        self._starter = Starter(
            self._zygotes, scratch / "run", self._states, self._policy, folders, self._groups, self._levels.drove
        )
        self._checker = Starter(self._zygotes, scratch / "check", self._states, self._policy, folders, self._groups)
        self._triggers = TriggerSet(self._sources)
        self._running = Generation(0)
        self._changing = threading.Lock()
        self._resting = threading.Lock()
        self._functions: dict[str, InstalledFunction] = {}
        self._dispatchers: dict[str, Dispatcher] = {}
        self._numbers: dict[str, Iterator[int]] = {}
        self._sources.sensors.on_lost = self._without

    def fitting(self, generation: Generation) -> Generation:
        """The same minus the proven functions whose hardware this board lacks, in full or in part."""
        kept: list[FunctionManifest] = []
        reasons: dict[str, str] = {}
        for name, function in generation.functions.items():
            if name in generation.proven:
                try:
                    leases.check(self._hardware.board, [*kept, function.manifest])
                    kept.append(function.manifest)
                except LamplightError as error:
                    reasons[name] = str(error)
        return generation.without(reasons)

    def check(self, generation: Generation) -> None:
        """Try the generation while the running functions go on undisturbed.

        Raises LeaseError when the board lacks hardware leased by its functions, or two drive one pin. Raises
        RejectedError when one asks for a network forbidden by the operator, a trigger of a changed function is known to
        fail here, or a changed function cannot be imported or its models cannot be loaded, each in a confined,
        throw-away worker.
        """
        with self._changing, self._groups_settled():
            self._check_new(generation)
            new = self._new(generation)
            self._triggers.check(new)
            _end(self._warm(new, self._checker))

    def switch(self, generation: Generation) -> None:
        """Run `generation`: changed functions change between two events and lose none; removed ones are stopped.

        Raises as `check` does when a new worker fails to warm up: everything is then as before. A later failure of a
        worker is answered by a restart with backoff, as always, and health tells. The same holds for a proven function
        that was held back.
        """
        with self._changing, self._groups_settled():
            self._check_new(generation)
            warmed: list[Raised] = [*self._warm(self._new(generation), self._starter)]
            again = [each for each in self._changed(generation) if each.name in generation.proven]
            self._change(generation, [*warmed, *map(self._try_to_warm, again)])

    def resume(self, generation: Generation) -> None:
        """Run a generation that has run before, at boot or after a revert.

        Unlike with `switch`, the others run even if one function fails to start now: it is tried again with backoff, as
        after a crash, and health tells. A function that has lost the operator's permission for the network runs
        offline. Raises LeaseError.
        """
        with self._changing, self._groups_settled(), ThreadPoolExecutor(_WARMING) as pool:
            leases.check(self._hardware.board, _manifests(generation))
            chains.check(_manifests(generation), generation.held)
            # Together: a hanging import must not delay the others by all of its time.
            self._change(generation, list(pool.map(self._try_to_warm, self._changed(generation))))

    def call(self, function: str, data: object, type: str = CALL, source: str = "call", subject: str = "") -> object:
        """The handler's result for a call with `data`, or for an event of another type sent by hand.

        Raises NotFoundError for a function missing here, UsageError for data beyond JSON, LamplightError when the
        handler fails, OfflineError when its answer is late.
        """
        dispatcher = self._dispatchers.get(function)
        if held := self._running.held.get(function):
            raise RejectedError(f"{function} does not run on this board now", held.reason)
        if dispatcher is None:
            raise NotFoundError(
                f"no function {function!r} runs here", f"these do: {', '.join(self._dispatchers) or 'none'}"
            )
        return dispatcher.call(data, f"{self._sources.origin}/{source}", type, subject)

    def health(self) -> Mapping[str, FunctionHealth]:
        """Every function of the running generation."""
        found = list(self._dispatchers.items())
        return {name: self._triggers.with_faults(name, dispatcher.health()) for name, dispatcher in found}

    def sensors(self) -> Mapping[str, SensorHealth]:
        """Every sensor of the board."""
        return self._sources.sensors.health()

    def outputs(self) -> Mapping[str, OutputLevel]:
        """Every held output, with its level; changes held back as too frequent are recorded now."""
        self._levels.settle()
        return self._levels.now()

    def keep(self, functions: Collection[str]) -> None:
        """Forget the states of all other functions: every generation the board could go back to is without them."""
        with self._changing:
            self._states.keep({*functions, *self._functions})

    def running(self) -> Generation:
        """The generation of the last switch; number 0 before the first."""
        return self._running

    def close(self) -> None:
        """Stop everything, outputs safe. An event in hand gets a moment to finish, then its worker is ended."""
        with self._changing:
            self._remove(set(self._functions), self._policy.stop)
            self._functions = {}
            self._zygotes.entrust({})
            self._triggers.close()
            self._levels.hold({})
            self._sources.close()
            self._zygotes.close()
            self._groups.close()

    @contextlib.contextmanager
    def _groups_settled(self) -> Generator[None]:
        """Afterwards exactly the running functions have control groups."""
        try:
            yield
        finally:
            self._groups.keep([self._starter.group_name(each) for each in self._functions.values()])

    def _without(self, sensor: str) -> None:
        """The sensor is lost: move its functions' outputs away from the last reading's levels."""
        for function in list(self._functions.values()):
            triggers = function.manifest.triggers
            dispatcher = self._dispatchers.get(function.name)
            if dispatcher and any(isinstance(each, SensorTrigger) and each.sensor == sensor for each in triggers):
                dispatcher.start_over()

    def _change(self, generation: Generation, raised: Sequence[Raised]) -> None:
        driven = safe_levels(generation.functions.values())
        self._levels.hold({**holders(self._functions.values()), **holders(generation.functions.values())})
        self._zygotes.entrust({**safe_levels(self._functions.values()), **driven})
        self._remove(set(self._functions) - set(generation.functions))
        self._hand_over(raised)
        self._functions = dict(generation.functions)
        self._levels.hold(holders(self._functions.values()))
        self._running = generation
        self._zygotes.entrust(driven)
        self._zygotes.settle(_infers(generation.functions.values()))

    def _check_new(self, generation: Generation) -> None:
        """Check that the generation's changes are allowed and fit the board, beside the proven functions."""
        manifests = [each.manifest for name, each in generation.functions.items() if name in generation.proven]
        for name, function in generation.functions.items():
            if name not in generation.proven:
                manifests.append(function.manifest)
                with about(f"functions/{name}"):
                    leases.check(self._hardware.board, manifests)
                    permissions.check([function.manifest], self._policy.network)
        chains.check(manifests, generation.held)

    def _new(self, generation: Generation) -> list[InstalledFunction]:
        """The changed functions whose start is still unproven."""
        return [each for each in self._changed(generation) if each.name not in generation.proven]

    def _changed(self, generation: Generation) -> list[InstalledFunction]:
        return [new for name, new in generation.functions.items() if not new.same_as(self._functions.get(name))]

    def _warm(self, functions: list[InstalledFunction], starter: Starter) -> list[Warmed]:
        """Workers for all of them, or for none."""
        warmed: list[Warmed] = []
        for function in functions:
            journal = self._journal(function)
            try:
                warmed.append((function, journal, starter.start_all(function, journal)))
            except (StartError, ForkError) as error:
                _end(warmed)
                self._zygotes.settle(_infers(self._functions.values()))
                refused = _not_started(function, error)
                refused.part = f"functions/{function.name}"
                raise refused from None
        return warmed

    def _try_to_warm(self, function: InstalledFunction) -> Raised:
        journal = self._journal(function)
        try:
            return function, journal, self._starter.start_all(function, journal)
        except (StartError, ForkError) as error:
            return function, journal, str(error)

    def _journal(self, function: InstalledFunction) -> Journal:
        return Journal(self._emit, self._sources.topics.published, function, self._policy, time.monotonic)

    def _remove(self, names: set[str], patience: float | None = None) -> None:
        self._triggers.remove(names)
        stopping = [self._dispatchers[name] for name in names]
        stops = [stop for dispatcher in stopping for stop in dispatcher.stop()]
        wait(stops, patience)
        for dispatcher in stopping:
            dispatcher.kill()
        wait(stops)
        for name in names:
            self._dispatchers.pop(name).close()

    def _hand_over(self, raised: Sequence[Raised]) -> None:
        """Everybody lets go of the hardware before anybody takes it: pins may move from one function to another."""
        leaving = [self._dispatchers[f.name] for f, _, _ in raised if f.name in self._dispatchers]
        wait([release for dispatcher in leaving for release in dispatcher.release()])
        for function, _, _ in raised:
            old = self._functions.get(function.name)
            self._rest_changed(old, function)
            if old:
                self._states.switch(function.name, old.manifest.state.schema, function.manifest.state.schema)
        wait([adoption for each in raised for adoption in self._adopt(*each)])
        for function, _, _ in raised:
            self._triggers.connect(function, self._dispatchers[function.name])

    def _adopt(
        self, function: InstalledFunction, journal: Journal, workers: list[WorkerProcess] | str
    ) -> "list[Future[None]]":
        name = function.name
        if name not in self._dispatchers:
            numbers = self._numbers.setdefault(name, itertools.count(1))
            self._dispatchers[name] = Dispatcher(function, journal, self._starter, self._rest, numbers, self._policy)
        dispatcher = self._dispatchers[name]
        if isinstance(workers, str):
            return dispatcher.retry(function, journal, workers)
        return dispatcher.adopt(function, journal, workers)

    def _rest_changed(self, old: InstalledFunction | None, new: InstalledFunction) -> None:
        """Put the outputs driven by only one of the versions to their safe level, from whatever level they have."""
        before, after = safe_levels([old] if old else []), safe_levels([new])
        changed = {pin: level for pin, level in {**before, **after}.items() if (pin in before) != (pin in after)}
        for pin, level in sorted(changed.items()):
            try:
                self._rest(pin, level)
            except Exception as error:
                text = f"the output {pin} could not be put to its safe level: {error}"
                self._emit("logs", "log", {"function": "", "version": 0, "level": "error", "text": text})

    def _rest(self, pin: str, level: bool) -> None:
        try:
            self._rest_at_last(pin, level)
        except BaseException:
            self._levels.rested(pin, None)
            raise
        self._levels.rested(pin, level)

    def _rest_at_last(self, pin: str, level: bool) -> None:
        """Drive the output once the last worker has let go of the line: a killed one may need a moment."""
        until = time.monotonic() + self._policy.rest
        while True:
            try:
                self._rest_now(pin, level)
                return
            except PinBusyError:
                if time.monotonic() >= until:
                    raise
            time.sleep(_AGAIN)

    def _rest_now(self, pin: str, level: bool) -> None:
        # Dispatchers share one Hardware; its first use imports and opens things.
        with self._resting:
            self._hardware.rest(pin, level)


def _manifests(generation: Generation) -> list[FunctionManifest]:
    return [function.manifest for function in generation.functions.values()]


def _not_started(function: InstalledFunction, error: StartError | ForkError) -> RejectedError:
    name = f"{function.name} version {function.version}"
    if error.excused:
        return BusyError(f"{TOO_BUSY}{name}", str(error), "deploy it again when the board has time")
    return RejectedError(f"{name} cannot start", str(error))


def _infers(functions: Iterable[InstalledFunction]) -> bool:
    return any(function.models for function in functions)


def _end(warmed: Sequence[Warmed]) -> None:
    for _, _, workers in warmed:
        for worker in workers:
            worker.end()
