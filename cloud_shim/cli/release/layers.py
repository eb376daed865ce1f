"""From a function's requirements.txt to a layer: its dependencies, unpacked, for one platform and one Python.

Wheels are chosen for the *board's* platform, on this machine, or taken from the lock that fits. A package without one
is an error here, before the sending. The packages of every board's agent (Blinka and its needs) stay out. Each wheel's
digest is recorded in layer.toml, its origin in the layer's pylock.toml. It packs; pushing.py sends.
"""

import contextlib
import importlib.metadata
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from cloud_shim.cli.release import lock, pip_process, wheels
from cloud_shim.cli.release.lock import Lock
from cloud_shim.cli.release.pip_process import Pip
from cloud_shim.cli.release.requirements import Wanted, read
from cloud_shim.cli.release.wheels import Wheel
from device import durable
from device.artifact import archive
from device.errors import OfflineError, RejectedError
from device.protocol.layer import LAYER_FILE, LOCK_FILE, REQUIREMENTS, SITE
from device.protocol.reported import Reported

# The agent's needs, by pyproject.toml, and the further ones of an agent on a board for models.
_AGENT = (
    *("adafruit-blinka", "adafruit-circuitpython-tsl2561", "cronsim", "gpiod", "packaging", "paho-mqtt"),
    *("securesystemslib", "tuf", "tzdata", "zstandard"),
)
_MODELS = ("numpy", "onnxruntime")
# The oldest glibc of today's wheels (PEP 599), and the names for older ones.
_OLDEST_GLIBC = 5
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
# A processor by its name in wheels; it becomes a part of a file's name.
_MACHINE = re.compile(r"[A-Za-z0-9_]{1,32}", re.ASCII)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Platform:
    """A board as wheels see it: "aarch64", (3, 11), and the minor version of its glibc 2."""

    machine: str
    python: tuple[int, int]
    glibc: int

    def tags(self) -> list[str]:
        """The platform tags of wheels fit for the board, the most specific first (PEP 600)."""
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, _OLDEST_GLIBC - 1, -1)]
        legacy = [f"{name}_{self.machine}" for minor, name in _LEGACY.items() if minor <= self.glibc]
        return [*tags, *legacy, f"linux_{self.machine}"]

    def version(self) -> str:
        """Its Python, such as "3.11"."""
        return f"{self.python[0]}.{self.python[1]}"

    def kind(self, models: bool) -> str:
        """A name for all boards that take the same wheels, but for their glibc: "aarch64-py311-models"."""
        return f"{self.machine}-py{self.version().replace('.', '')}{'-models' if models else ''}"

    def for_pip(self) -> wheels.Target:
        """The same for the choice of wheels."""
        return wheels.Target(REQUIREMENTS, str(self), tuple(self.tags()), self.version())

    def __str__(self) -> str:
        """For a person."""
        return f"{self.machine} with Python {self.version()}"


def _quiet(_line: str) -> None:
    """Nobody is told."""


def platform(report: Reported | None) -> Platform:
    """The platform in a device's report.

    Raises OfflineError before the first report, RejectedError when its Python's version or its processor is unreadable.
    """
    told = report.platform if report else None
    if told is None:
        raise OfflineError(
            "It is not known which wheels this board takes", "it has not reported yet", "Try again when it is online"
        )
    if not re.fullmatch(r"3\.[0-9]{1,3}", told.python, re.ASCII):
        raise RejectedError("It is not known which wheels this board takes", f"its Python is {told.python[:40]!r}")
    if not _MACHINE.fullmatch(told.machine):
        raise RejectedError("It is not known which wheels this board takes", f"its processor is {told.machine[:40]!r}")
    return Platform(told.machine, (3, int(told.python[2:])), told.glibc)


def build(folder: Path, target: Platform, models: bool, say: Say = _quiet) -> bytes | None:
    """The packed layer for the function in `folder`; None when the function needs no other packages.

    `models` says whether the board has the libraries for models; `say` is told what became of the lock, which is
    written. Raises RejectedError for requirements that are refused and when a wheel for `target` is missing,
    OfflineError when the package index is out of reach, UsageError for a lock that is unreadable.
    """
    requirements = folder / REQUIREMENTS
    if not requirements.is_file():
        return None
    wanted = read(requirements)
    if not wanted:
        return None
    kept = folder / lock.name(target.kind(models))
    before = lock.read(kept)
    asked = _asked(wanted, target, provided(models))
    with tempfile.TemporaryDirectory(prefix="lamplight-layer-") as temporary:
        work = Path(temporary)
        pip = pip_process.prepared()
        chosen = before if before is not None and before.fits(asked) else _choose(asked, target, work, pip)
        packed = _packed(chosen.wheels, target, work, pip) if chosen.wheels else None
    if chosen is before:
        say(f"{kept.name}: {len(chosen.wheels)} packages as they were locked")
    else:
        _keep(kept, before, chosen, say)
    return packed


def _asked(wanted: Sequence[Wanted], target: Platform, brought: Mapping[str, str]) -> Lock:
    """A lock without wheels: what they are to be chosen for."""
    lines = tuple(sorted(each.line() for each in wanted))
    has = tuple(f"{name}=={version}" for name, version in sorted(brought.items()))
    return Lock((), lines, has, target.machine, target.version(), target.glibc)


def _choose(asked: Lock, target: Platform, work: Path, pip: Pip) -> Lock:
    """The lock with wheels from the index; of the packages that the board has, those that are needed."""
    found = wheels.resolve(asked.requirements, asked.provided, target.for_pip(), work, pip)
    has = {each.partition("==")[0] for each in asked.provided}
    met = tuple(f"{each.name}=={each.version}" for each in found if each.name in has)
    return replace(asked, wheels=tuple(each for each in found if each.name not in has), provided=met)


def _packed(chosen: Sequence[Wheel], target: Platform, work: Path, pip: Pip) -> bytes:
    layer = work / "layer"
    wheels.install(chosen, target.for_pip(), layer / SITE, work, pip)
    (layer / LAYER_FILE).write_text(_manifest(chosen, target), encoding="utf-8")
    # Beside layer.toml and not in it: an older agent refuses a key that it does not know.
    (layer / LOCK_FILE).write_text(lock.origins(chosen), encoding="utf-8")
    return archive.pack(layer)


def _keep(file: Path, before: Lock | None, chosen: Lock, say: Say) -> None:
    """Write the lock, and tell what is other than in the last one."""
    for line in lock.changes(before.wheels if before else (), chosen.wheels):
        say(f"  {line}")
    try:
        durable.write_file(file, lock.text(chosen).encode())
    except OSError as error:
        say(f"{file.name} cannot be written ({error.strerror}): the next deployment chooses the packages again")
    else:
        say(f"{file.name}: written; keep it with your code, delete it to choose anew")


def provided(models: bool) -> dict[str, str]:
    """The packages of a board's agent, and their versions here, by normalized name (PEP 503)."""
    found: dict[str, str] = {}
    waiting = [*_AGENT, *(_MODELS if models else ())]
    while waiting:
        name = waiting.pop()
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            if name not in found:
                found[name] = importlib.metadata.version(name)
                waiting.extend(_required(name))
    return found


def _required(name: str) -> Iterator[str]:
    for each in importlib.metadata.requires(name) or ():
        requirement, _, marker = each.partition(";")
        if "extra" not in marker:
            yield canonicalize_name(re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0])


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
