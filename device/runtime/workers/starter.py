"""Turns an installed function into a warmed worker.

It forks, puts into a control group, and warms. Hardware and the keeping of the workers are left to others.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from device.generation import InstalledFunction
from device.protocol.triggers import FileTrigger
from device.runtime.cgroups.group import Group, Limits
from device.runtime.cgroups.groups import Groups
from device.runtime.journal import Journal
from device.runtime.policy import Policy
from device.runtime.states import States
from device.runtime.wire.messages import Assignment, Failure
from device.runtime.worker.clouds import facts
from device.runtime.workers.process import StartError, WorkerLostError, WorkerProcess
from device.runtime.workers.zygotes import Zygotes

# A worker's own memory before its function's, with room: pages shared with the zygote are not counted as its own.
BARE = 24 * 1024 * 1024
# A function, one of its outputs, and the output's level from now on.
Drives = Callable[[str, str, bool], None]


class Starter:
    """Starts workers.

    `scratch` holds a folder for each function, and so does `states`; each is given one of `groups`. `drives` hears the
    level of each output a function drives; only workers with outputs need it.
    """

    def __init__(
        self,
        zygotes: Zygotes,
        scratch: Path,
        states: States,
        policy: Policy,
        folders: Mapping[str, Path] | None = None,
        groups: Groups | None = None,
        drives: Drives = lambda function, pin, level: None,
    ) -> None:
        self._drives = drives
        self._folders = folders or {}
        self._zygotes = zygotes
        self._scratch = scratch
        self._states = states
        self._policy = policy
        self._groups = groups or Groups()

    def start(
        self,
        function: InstalledFunction,
        journal: Journal,
        forked: Callable[[WorkerProcess], None] = lambda _: None,
    ) -> WorkerProcess:
        """A worker with the handler imported and the models loaded. `forked` is told of it before it warms up.

        Raises ForkError, or StartError when it failed to become the function. The worker is gone then.
        """
        scratch = self._scratch / function.name
        try:
            scratch.mkdir(parents=True, exist_ok=True)
            states = self._states.of(function.name, function.manifest.state.schema)
            group = self._group(function, journal)
        except OSError as error:
            raise StartError(Failure("import", f"its folders cannot be made, or its control group: {error}")) from None
        worker = WorkerProcess(
            self._zygotes.fork(bool(function.models)), journal, group, partial(self._drives, function.name)
        )
        forked(worker)
        try:
            # Before it learns whose code it is to run.
            worker.enlist()
            folders = watched(function, self._folders)
            worker.warm(assign(function, scratch, states, folders, self._policy.network), self._policy.warm)
        except StartError:
            worker.end()
            raise
        except WorkerLostError as lost:
            how = worker.end()
            raise StartError(Failure("import", lost.detail or how), lost.excused) from None
        except Exception as error:
            # A configuration too large or odd for a message.
            worker.end()
            raise StartError(Failure("import", f"its settings cannot be sent to a worker: {error}")) from None
        return worker

    def _group(self, function: InstalledFunction, journal: Journal) -> Group | None:
        if function.manifest.cpu is not None and "cpu" not in self._groups.held:
            journal.note("warning", "function.toml limits cpu, and this board cannot: docs/confinement.md says why")
        return self._groups.of(self.group_name(function), limits(function))

    def group_name(self, function: InstalledFunction) -> str:
        """The name of the control group for this very release with this very configuration.

        Its successor has another name, so their limits stay apart. A check has its own, too.
        """
        parts = (function.digest, function.layer and function.layer.digest, sorted(function.config.items()))
        models = sorted((name, model.digest) for name, model in function.models.items())
        key = hashlib.sha256(repr((parts, models)).encode()).hexdigest()[:8]
        return f"{function.name}.{self._scratch.name}.{key}"

    def start_all(self, function: InstalledFunction, journal: Journal) -> list[WorkerProcess]:
        """A worker for each instance of the function, or for none; raises as `start` does."""
        workers: list[WorkerProcess] = []
        try:
            for _ in range(function.manifest.instances):
                workers.append(self.start(function, journal))
        except Exception:
            for worker in workers:
                worker.end()
            raise
        return workers


def watched(function: InstalledFunction, granted: Mapping[str, Path]) -> list[Path]:
    """The existing folders of its file triggers, as far as the operator grants them."""
    named = {each.folder for each in function.manifest.triggers if isinstance(each, FileTrigger)}
    return [granted[name] for name in sorted(named) if name in granted and granted[name].is_dir()]


def assign(
    function: InstalledFunction, scratch: Path, states: Path, folders: Sequence[Path], network: bool
) -> Assignment:
    """The assignment for a worker of `function`; `network`: it gets the network if it asks for it."""
    pins = function.manifest.pins
    return Assignment(
        function=function.name,
        version=function.version,
        path=str(function.path.resolve()),
        scratch=str(scratch.resolve()),
        module=function.manifest.module,
        attribute=function.manifest.attribute,
        memory=_memory(function),
        scratch_size=function.manifest.scratch,
        # They are counted by the function: all workers and their successors are there at once.
        processes=2 * function.manifest.processes * function.manifest.instances,
        network=network and function.manifest.network,
        outputs=outputs(function),
        inputs=[name for name in pins if pins[name].direction == "in"],
        sensors=list(function.manifest.sensors),
        buses=list(function.manifest.buses),
        folders=[str(folder.resolve()) for folder in folders],
        models={name: str(model.path.resolve()) for name, model in function.models.items()},
        states=str(states.resolve()),
        schema=function.manifest.state.schema,
        state_size=function.manifest.state.size,
        migrate=list(function.manifest.state.migrate),
        layer=str(function.layer.path.resolve()) if function.layer else "",
        config=dict(function.config),
        facts=asdict(facts.of(function.manifest, function.version, str(function.path.resolve()))),
    )


def limits(function: InstalledFunction) -> Limits:
    """The limits of all its workers together.

    They add up each one's allowance, its scratch folder, and a bare worker's own memory.
    """
    manifest = function.manifest
    return Limits(
        manifest.cpu,
        manifest.instances * (_memory(function) + manifest.scratch + BARE),
        manifest.instances * manifest.processes,
    )


def _memory(function: InstalledFunction) -> int:
    return function.manifest.memory + sum(model.manifest.memory for model in function.models.values())


def outputs(function: InstalledFunction) -> list[str]:
    """Its output pins."""
    return [name for name, pin in function.manifest.pins.items() if pin.direction == "out"]


def safe_levels(functions: Iterable[InstalledFunction]) -> dict[str, bool]:
    """Their output pins, with the safe levels."""
    return {pin: function.manifest.pins[pin].safe for function in functions for pin in outputs(function)}


def holders(functions: Iterable[InstalledFunction]) -> dict[str, str]:
    """Their output pins, each with the name of its function."""
    return {pin: function.name for function in functions for pin in outputs(function)}
