"""Resolves with wheels first, and builds a source distribution only where that has no answer; then resolves again.

Each round builds one package, which then counts as a wheel. pip judges every combination; this chooses what to build.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cloud_shim.cli.release import wheels
from cloud_shim.cli.release.pip_process import Pip
from cloud_shim.cli.release.requirements import Wanted
from cloud_shim.cli.release.source.builder import Builder, Built
from cloud_shim.cli.release.wheels import Chosen, Failed, Question
from device.errors import LamplightError, RejectedError

ROUNDS = 20


def resolve(question: Question, wanted: Sequence[Wanted], work: Path, pip: Pip, builder: Builder | None) -> Chosen:
    """The wheels that answer it, built ones among them; `work` is a new folder, `wanted` the requirements with digests.

    Without a builder only the index's wheels count. Raises as wheels.resolve and Builder.build.
    """
    work.mkdir()
    hashes = {each.name: each.hashes for each in wanted if question.target.platform.takes(each.requirement.marker)}
    built: dict[tuple[str, str], Built] = {}
    for number in range(ROUNDS):
        now = replace(question, lines=_lines(question.lines, built))
        answer = wheels.attempt(now, work / str(number), pip, builder.folder if builder else None)
        if isinstance(answer, Chosen):
            return replace(answer, wheels=tuple(_with_source(each, built) for each in answer.wheels))
        if builder is None:
            raise _hinted(answer)
        new = _new(answer, hashes, built, builder)
        built[new.wheel.name, new.wheel.version] = new
    raise RejectedError(f"{question.target.what} cannot be met", f"more than {ROUNDS} packages are to be built")


def _new(
    failed: Failed, hashes: Mapping[str, Sequence[str]], built: Mapping[tuple[str, str], Built], builder: Builder
) -> Built:
    """One more package, the first that may help; raises the failure's own error when there is none."""
    for each in failed.buildable:
        name = canonicalize_name(each.name)
        taken = builder.take(each, hashes.get(name, ()))
        if (taken.name, taken.version) not in built:
            return builder.build(taken)
    raise failed.error


def _lines(lines: Sequence[str], built: Mapping[tuple[str, str], Built]) -> list[str]:
    """The lines; a digest of a source, which was checked, gives way to its wheel's."""
    digests = {name: each.wheel.sha256 for (name, _), each in built.items()}
    return [_line(each, digests) for each in lines]


def _line(line: str, digests: Mapping[str, str]) -> str:
    asked, hashed, _ = line.partition(" --hash=")
    name = canonicalize_name(Requirement(asked).name)
    return f"{asked} --hash=sha256:{digests[name]}" if hashed and name in digests else line


def _with_source(wheel: wheels.Wheel, built: Mapping[tuple[str, str], Built]) -> wheels.Wheel:
    made = built.get((wheel.name, wheel.version))
    return made.wheel if made and made.wheel.sha256 == wheel.sha256 else wheel


def _hinted(failed: Failed) -> LamplightError:
    """The error, with what else may help: a source without a wheel beside it may be in pure Python."""
    error = failed.error
    if failed.bare:
        error.remedy += f"; or try --allow-build, which builds {failed.bare} from its source if that is pure Python"
    return error
