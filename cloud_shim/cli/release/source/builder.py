"""Builds wheels from source distributions: tools first, then the package's own code in the confined process.

Each step's answer is the package's word, and is judged before it counts. A wheel built before is taken from the cache.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from cloud_shim.cli.release import foreign_lock
from cloud_shim.cli.release.instead import INSTEAD
from cloud_shim.cli.release.pip_process import Pip
from cloud_shim.cli.release.source import cache, chamber, purity, sdist, tools
from cloud_shim.cli.release.source.order import PLAN, REQUIRES, WHEEL, Answer
from cloud_shim.cli.release.source.purity import Impure
from cloud_shim.cli.release.source.sdist import Sdist
from cloud_shim.cli.release.wheels import Source, Target, Wheel
from device.errors import LamplightError, RejectedError

_FEW = 3
_OTHER = "Choose a version that has a wheel, or a package in pure Python"


@dataclass(frozen=True)
class Built:
    """A wheel that was built here, with its source, and its file."""

    wheel: Wheel
    path: Path


class Builder:
    """Builds for one board with this pip, in `work`, a new folder. `say` is told of each build."""

    def __init__(self, target: Target, work: Path, pip: Pip, say: Callable[[str], None]) -> None:
        self._target, self._work, self._pip, self._say = target, work, pip, say
        self._steps = 0
        self.folder = work / "built"
        """All wheels that it gave, for pip."""
        self.folder.mkdir(parents=True)

    def take(self, wanted: Requirement, hashes: Sequence[str] = ()) -> Sdist:
        """As sdist.take."""
        return sdist.take(wanted, hashes, self._target, self._step(), self._pip)

    def again(self, wheel: Wheel) -> Built:
        """A wheel of a lock, from the source of the lock's digest. Raises as `take` and `build`."""
        assert wheel.source, "it was built"
        found = self._cached(wheel.name, wheel.version, wheel.source)
        if found:
            return found
        taken = self.take(Requirement(f"{wheel.name}=={wheel.version}"), [f"sha256:{wheel.source.sha256}"])
        return self.build(taken)

    def build(self, taken: Sdist) -> Built:
        """The wheel of this source distribution.

        Raises RejectedError when it is not built or not pure, LamplightError where the machine cannot confine the
        build, OfflineError when the index is out of reach.
        """
        what = f"{taken.name} {taken.version}"
        found = self._cached(taken.name, taken.version, taken.source)
        if found:
            self._say(f"{what}: the wheel built from {taken.source.file} before")
            return found
        self._say(f"{what}: building a wheel from {taken.source.file}, confined")
        planned = self._ask(PLAN, taken, None)
        wanted = tools.asked(planned.requires, what)
        if compilers := tools.compilers(wanted):
            raise self._impure(taken, f"it is built with {', '.join(compilers)}")
        first = tools.fetch(wanted, what, self._step(), self._pip)
        more = tools.asked(self._ask(REQUIRES, taken, first).requires, what)
        new = [each for each in more if str(each) not in map(str, wanted)]
        every = tools.fetch([*wanted, *new], what, self._step(), self._pip) if new else first
        made = self._ask(WHEEL, taken, every)
        try:
            data = self._pure(made.data, made.file, taken.name, taken.version)
        except Impure as error:
            raise self._impure(taken, f"its wheel has {error}") from None
        cache.keep(taken.source.sha256, made.file, data)
        return self._placed(taken.name, taken.version, taken.source, made.file, data)

    def _cached(self, name: str, version: str, source: Source) -> Built | None:
        for file, data in cache.find(source.sha256):
            try:
                return self._placed(name, version, source, file, self._pure(data, file, name, version))
            except (Impure, RejectedError):
                # A damaged cache costs a build.
                continue
        return None

    def _pure(self, data: bytes, file: str, name: str, version: str) -> bytes:
        return purity.pure(data, file, name, version, foreign_lock.tags(self._target.platform))

    def _placed(self, name: str, version: str, source: Source, file: str, data: bytes) -> Built:
        path = self.folder / file
        path.write_bytes(data)
        return Built(Wheel(name, version, hashlib.sha256(data).hexdigest(), file, source=source), path)

    def _step(self) -> Path:
        self._steps += 1
        return self._work / str(self._steps)

    def _ask(self, do: str, taken: Sdist, folder: Path | None) -> Answer:
        outcome = chamber.run(do, taken.path, folder)
        answer = outcome.answer
        if answer and not (answer.lacks or answer.refused or answer.failed):
            return answer
        if answer and answer.lacks:
            raise LamplightError(
                "Nothing was built",
                f"a package's own code runs confined only, and this machine does not confine {', '.join(answer.lacks)}",
                "Deploy from Linux with user namespaces, Landlock and seccomp (docs/confinement.md), or choose a "
                "version with a wheel",
            )
        if answer and answer.refused:
            raise RejectedError(f"{taken.source.file} is not built", answer.refused, _OTHER)
        if answer and answer.compiled:
            raise self._impure(taken, f"its source has {', '.join(answer.compiled)}", outcome.lines[-_FEW:])
        if outcome.late:
            ended = f"its build took longer than {chamber.SECONDS} s"
        else:
            ended = "its build failed" if answer else "its build ended without an answer"
        raise RejectedError(f"{taken.name} {taken.version} was not built", _with(ended, outcome.lines), _OTHER)

    def _impure(self, taken: Sdist, why: str, lines: Sequence[str] = ()) -> RejectedError:
        instead = INSTEAD.get(taken.name, "")
        return RejectedError(
            f"{taken.name} {taken.version} has C code, or the like, and cannot be built here for the board's "
            f"{self._target.platform.machine}",
            _with(why, lines),
            f"Use instead: {instead}" if instead else _OTHER,
        )


def _with(why: str, lines: Sequence[str]) -> str:
    return "\n  ".join([f"{why}; its last lines were:", *lines]) if lines else why
