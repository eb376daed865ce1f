"""From a function's needs to a layer: its packages, unpacked, for one platform and one Python.

Wheels are chosen for the *board*, on this machine, or taken from the lock that fits. A package without one is an error
here, before the sending, unless it may be built (source/). The packages that each worker has already stay out
(brought.py). Each wheel's digest is recorded in layer.toml, its origin in the layer's pylock.toml. It packs;
pushing.py sends.
"""

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.markers import Marker
from packaging.version import Version

from cloud_shim.cli.release import brought, lock, needs, pip_process, places, wheel_files, wheels
from cloud_shim.cli.release.lock import Lock
from cloud_shim.cli.release.needs import Needs
from cloud_shim.cli.release.pip_log import Passed
from cloud_shim.cli.release.pip_process import Pip
from cloud_shim.cli.release.source import rounds
from cloud_shim.cli.release.source.builder import Builder
from cloud_shim.cli.release.target import Platform
from cloud_shim.cli.release.wheel_files import Opened
from cloud_shim.cli.release.wheels import Question, Target, Wheel
from device import durable
from device.artifact import archive
from device.artifact.archive import File
from device.errors import RejectedError
from device.protocol.layer import LAYER_FILE, LOCK_FILE, SITE

# Markers of a Python's last number.
_FULL = ("python_full_version", "implementation_version")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Board:
    """A board as a function's packages see it: `libraries` are the agent's with their versions, as it reported them.

    `models`: it has the libraries for models. `formats` is the newest archive it reads.
    """

    platform: Platform
    models: bool = False
    libraries: Mapping[str, str] | None = None
    formats: int = archive.FORMAT

    def brought(self) -> dict[str, str]:
        """The packages that its workers have already, with their versions ("" when unknown)."""
        return brought.versions(self.libraries or {}, self.models)


@dataclass(frozen=True)
class Resolved:
    """An answer to a function's needs on a board: the lock, the wheels' files, and what was newer but has no wheel.

    `kept`: the lock was there before.
    """

    needs: Needs
    lock: Lock
    files: Sequence[Path]
    passed: Mapping[str, Passed]
    kept: bool


def quiet(_line: str) -> None:
    """Nobody is told."""


def layer(folder: Path, board: Board, say: Say = quiet, build: bool = False) -> bytes | None:
    """The packed layer for the function in `folder`; None when the function needs no other packages.

    `say` is told each package, and what became of the lock, which is written. `build`: where a wheel is missing, a
    source distribution in pure Python is built, confined. Raises RejectedError for requirements that are refused and
    when a wheel for the board is missing or not built, OfflineError when the package index is out of reach,
    UsageError for a lock or settings that are unreadable, LamplightError where nothing can be confined.
    """
    with tempfile.TemporaryDirectory(prefix="lamplight-layer-") as work:
        found = resolve(folder, board, Path(work), say, build=build)
        if found is None:
            return None
        packed = None
        if found.files:
            with wheel_files.opened(found.files) as opened:
                chosen, packed = _noted(found, opened, board.platform), _packed(found, opened, board)
                found = replace(found, lock=chosen)
    _tell(found, folder, board, say)
    return packed


def resolve(
    folder: Path, board: Board, work: Path, say: Say = quiet, anew: bool = False, build: bool = False
) -> Resolved | None:
    """The wheels for the function in `folder`, fetched into `work`; None when it needs nothing. No lock is written.

    `anew` asks the index even where the lock fits, within its versions: to see what else there is. The others are
    `layer`'s, and so are its errors.
    """
    wanted = needs.of(folder, board.platform)
    if wanted is None:
        return None
    say(f"{wanted.file}: choosing wheels for {board.platform}")
    target = Target(wanted.file, str(board.platform), board.platform)
    pip = pip_process.prepared(places.read(folder))
    builder = Builder(target, work / "build", pip, say) if build else None
    before = lock.read(_lock_file(folder, board))
    asked = _asked(wanted, board)
    kept = before is not None and wanted.wheels is None and before.fits(asked)
    passed: Mapping[str, Passed] = {}
    if before is not None and kept and not anew:
        chosen = _built_again(before, builder, _lock_file(folder, board).name)
    elif wanted.wheels is not None:
        chosen = replace(asked, wheels=tuple(each for each in wanted.wheels if each.name not in board.brought()))
    else:
        limits = [f"{each.name}=={each.version}" for each in before.wheels] if before is not None and kept else []
        chosen, passed = _choose(wanted, asked, limits, board, target, work, pip, builder)
    if wanted.held:
        wanted.held.check(chosen.wheels)
    files = _files(chosen.wheels, target, work, pip, builder)
    return Resolved(wanted, chosen, files, passed, kept and (anew or chosen == before))


def _built_again(before: Lock, builder: Builder | None, file: str) -> Lock:
    """The lock with its wheels built from source again; raises RejectedError when nothing is to be built."""
    sources = [each for each in before.wheels if each.source]
    if sources and builder is None:
        raise RejectedError(
            f"{file} has {sources[0].name} {sources[0].version}, which was built from its source",
            "nothing is built unless you ask for it",
            "Deploy with --allow-build; or delete the file, to have other packages chosen",
        )
    made = {each: builder.again(each).wheel for each in sources if builder}
    return replace(before, wheels=tuple(made.get(each, each) for each in before.wheels))


def _files(chosen: Sequence[Wheel], target: Target, work: Path, pip: Pip, builder: Builder | None) -> list[Path]:
    """The wheels' files, in their order: those of the builder, or fetched."""
    ready = [each for each in chosen if not each.source]
    fetched = wheels.fetch(ready, target, work / "wheels", pip) if ready else []
    found = dict(zip(ready, fetched, strict=True))
    if builder:
        found |= {each: builder.folder / each.file for each in chosen if each.source}
    return [found[each] for each in chosen]


def _lock_file(folder: Path, board: Board) -> Path:
    return folder / lock.name(board.platform.kind(board.models))


def _asked(wanted: Needs, board: Board) -> Lock:
    """A lock without wheels: what they are to be chosen for."""
    has = board.brought()
    lines = sorted([*(each.line() for each in wanted.wanted), *wanted.limits(has)])
    known = tuple(f"{name}=={version}" for name, version in sorted(has.items()))
    place = board.platform
    return Lock((), tuple(lines), known, place.machine, place.version(), place.glibc, place.whole())


def _choose(
    wanted: Needs,
    asked: Lock,
    limits: Sequence[str],
    board: Board,
    target: Target,
    work: Path,
    pip: Pip,
    builder: Builder | None,
) -> tuple[Lock, Mapping[str, Passed]]:
    """The lock with wheels from the index, or built; of the packages that the board has, those that are needed."""
    has = board.brought()
    _check_brought(wanted, has, target)
    question = Question([each.line() for each in wanted.wanted], [*limits, *wanted.limits(has)], has, target)
    found = rounds.resolve(question, wanted.wanted, work / "resolution", pip, builder)
    met = tuple(f"{name}=={has[name]}" for name in found.met)
    return replace(asked, wheels=found.wheels, provided=met), found.passed


def _check_brought(wanted: Needs, has: Mapping[str, str], target: Target) -> None:
    """Raise RejectedError for a requirement that the board's own version does not meet."""
    for each in wanted.wanted:
        version = has.get(each.name, "")
        asked = each.requirement
        if version and target.platform.takes(asked.marker) and not asked.specifier.contains(version, prereleases=True):
            raise RejectedError(
                f"{wanted.file} cannot be met for {target.board}",
                f"it asks for {each.unmarked()}, and the board brings {each.name} {version}, "
                "which each worker has in memory",
                f"Ask for {each.name} without a version, or for one that allows {version}",
            )


def _noted(found: Resolved, opened: Sequence[Opened], platform: Platform) -> Lock:
    """The lock; it keeps the whole version of the board's Python only where a marker asks for it."""
    if found.kept:
        return found.lock
    markers = [each.requirement.marker for each in found.needs.wanted]
    markers += [each.marker for wheel in opened for each in wheel.requires]
    return replace(found.lock, full=platform.whole() if any(_asks_all(each) for each in markers) else "")


def _asks_all(marker: Marker | None) -> bool:
    return any(name in str(marker) for name in _FULL)


def _packed(found: Resolved, opened: Sequence[Opened], board: Board) -> bytes:
    chosen = found.lock.wheels
    # Beside layer.toml and not in it: an older agent refuses a key that it does not know.
    own = {LAYER_FILE: _manifest(chosen, board.platform), LOCK_FILE: lock.origins(chosen)}
    files = [_text(name, text) for name, text in own.items()]
    for each in wheel_files.together(opened):
        files.append(replace(each, name=f"{SITE}/{each.name}"))
    return archive.pack_files(files, plain=board.formats < archive.FORMAT)


def _text(name: str, text: str) -> File:
    data = text.encode()
    return File(name, len(data), False, lambda: io.BytesIO(data))


def _tell(found: Resolved, folder: Path, board: Board, say: Say) -> None:
    """Name each package, and write the lock with a word on what is other than in the last one."""
    file, chosen = _lock_file(folder, board), found.lock
    listed = ", ".join(f"{each.name} {each.version}" for each in chosen.wheels)
    if found.kept or found.needs.wheels is not None:
        say(f"{file.name if found.kept else found.needs.file}: as locked: {listed or 'nothing that the board lacks'}")
        return
    before = lock.read(file)
    for line in lock.changes(before.wheels if before else (), chosen.wheels):
        say(f"  {line}")
    versions = {each.name: each.version for each in chosen.wheels}
    for name, passed in newer(found).items():
        say(f"  ! {name} {passed}: {versions[name]} is taken")
    try:
        durable.write_file(file, lock.text(chosen).encode())
    except OSError as error:
        say(f"{file.name} cannot be written ({error.strerror}): the next deployment chooses the packages again")
    else:
        say(f"{file.name}: written; keep it with your code, delete it to choose anew")


def newer(found: Resolved) -> dict[str, str]:
    """By the name of each package that was chosen older, for want of a wheel for the board: what is newer, and why."""
    return {
        each.name: f"{passed.version} is newer, but has {passed.why}"
        for each in found.lock.wheels
        if (passed := found.passed.get(each.name)) and passed.version > Version(each.version)
    }


def _manifest(chosen: Sequence[Wheel], target: Platform) -> str:
    lines = [
        "[platform]",
        f'machine = "{target.machine}"',
        f'python = "{target.version()}"',
        f"glibc = {target.glibc}",
    ]
    for each in chosen:
        lines += [
            "",
            "[[packages]]",
            f'name = "{each.name}"',
            f'version = "{each.version}"',
            f'sha256 = "{each.sha256}"',
        ]
    return "\n".join(lines) + "\n"
