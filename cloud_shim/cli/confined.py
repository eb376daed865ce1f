"""A program for `lamplight test --confined`: a function's tests in the sandbox of a board's worker.

The whole run of pytest is inside, the test's own code too: with the worker's view of files, its system calls, its
environment and the limits of function.toml. The board around it is made up, as in every test (testing.py).
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from cloud_shim.cli import skipped, testing
from cloud_shim.cli.commands.test import NO_SANDBOX
from device.die_with_parent import die_with_parent
from device.errors import LamplightError
from device.infer import files as model_files
from device.private_memory import keep_memory_private
from device.protocol.manifest import FunctionManifest
from device.replay import player
from device.runtime.confinement import report
from device.runtime.confinement.enter import Bounds, enter
from device.runtime.confinement.mechanisms import Mechanisms
from device.runtime.confinement.probe import mechanisms
from device.runtime.worker import fresh
from device.sandbox import rlimits

# Without these a run would show no more than one without a sandbox.
_NEEDED = ("filesystem", "network", "system calls", "privileges")
_REMEDY = "run it on a Linux system with Landlock or namespaces, and seccomp; docs/confinement.md says what each needs"


@dataclass(frozen=True)
class Order:
    """A run: the function's folder, those of its models, the arguments of pytest, and an empty folder to work in."""

    folder: str
    models: list[str]
    arguments: list[str]
    room: str

    def text(self) -> str:
        """As the argument of this program."""
        return json.dumps(asdict(self))


class _MemoryLimit:
    """A plugin: the function's memory counts from the moment when pytest has collected its tests."""

    def __init__(self, memory: int) -> None:
        self._memory = memory

    def pytest_collection_finish(self) -> None:
        """Set the limit."""
        rlimits.limit_memory(self._memory)


def missing(has: Mechanisms) -> list[str]:
    """The aspects of confinement (docs/confinement.md) that this machine lacks."""
    found = report.describe(has, os.geteuid() == 0, {})
    return [each for each in _NEEDED if found[each] == report.NOT]


def main() -> int:
    """Confine this process, and run the tests."""
    die_with_parent(os.getppid())
    order = Order(**json.loads(sys.argv[1]))
    has = mechanisms()
    if lacks := missing(has):
        error = LamplightError(
            "The tests were not run", f"this machine has no confinement of {', '.join(lacks)}", _REMEDY
        )
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return NO_SANDBOX
    manifest = player.read_manifest(Path(order.folder))
    _confine(order, manifest, has)
    memory = manifest.memory + sum(model_files.read_manifest(Path(each)).memory for each in order.models)
    return int(pytest.main(order.arguments, plugins=[testing, skipped, _MemoryLimit(memory)]))


def _confine(order: Order, manifest: FunctionManifest, has: Mechanisms) -> None:
    room = Path(order.room).resolve()
    states, scratch = room / "states", room / "scratch"
    for each in (states, scratch):
        each.mkdir()
    fresh.settle(manifest.name, str(scratch), f"{order.folder}/{manifest.module.replace('.', '/')}.py")
    sys.dont_write_bytecode = True
    shown = [Path(order.folder), *map(Path, order.models)]
    enter(
        Bounds(
            shown, (), states, scratch, manifest.scratch, 2 * manifest.processes, manifest.network, name=manifest.name
        ),
        has,
    )
    keep_memory_private()
    rlimits.limit(manifest.scratch)


if __name__ == "__main__":
    sys.exit(main())
