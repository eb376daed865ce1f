"""Fetches a source distribution by pip: the newest for a requirement, checked by the digest that the index states.

pip ends with the file (pip_alone.py): it neither unpacks it nor asks it anything. Building is builder.py's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion

from cloud_shim.cli.release import pip_alone, pip_log, wheels
from cloud_shim.cli.release.pip_process import Pip
from cloud_shim.cli.release.wheels import Source, Target
from device.errors import RejectedError


@dataclass(frozen=True)
class Sdist:
    """A source distribution of a package in one version; `path` is the file here."""

    name: str
    version: str
    source: Source
    path: Path


def take(wanted: Requirement, hashes: Sequence[str], target: Target, folder: Path, pip: Pip) -> Sdist:
    """The source distribution for this requirement; `folder` is a new one for it.

    `hashes` are the digests that it may have, as "sha256:…"; none stands for any. Raises UntrustedError for other
    bytes than the index or `hashes` state, RejectedError when there is none, OfflineError without the index.
    """
    taken, log, asked = folder / "taken", folder / "pip.log", folder / "asked.txt"
    taken.mkdir(parents=True)
    name = canonicalize_name(wanted.name)
    asked.write_text(f"{name}{wanted.specifier}{''.join(f' --hash={each}' for each in hashes)}\n", "utf-8")
    options = [*wheels.board_options(target), "--no-deps", "--no-binary", ":all:", "--log", str(log)]
    arguments = [pip_alone.TAKE, str(taken), "download", *options, "-r", str(asked), "-d", str(folder / "none")]
    done = pip(arguments, target.platform.environment())
    files = list(taken.iterdir())
    if len(files) != 1:
        raise wheels.failure(done.stderr, "", target, {})
    told = log.read_text("utf-8", "replace") if log.is_file() else ""
    return _sdist(files[0], name, pip_log.address(told, files[0].name))


def _sdist(path: Path, name: str, address: str) -> Sdist:
    try:
        found, version = parse_sdist_filename(path.name)
    except (InvalidSdistFilename, InvalidVersion) as error:
        raise RejectedError(f"{name} cannot be built", str(error), "Choose a version with a wheel") from None
    if found != name:
        raise RejectedError(f"{name} cannot be built", f"the index has {path.name} for it")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Sdist(name, str(version), Source(path.name, digest, wheels.public(address)), path)
