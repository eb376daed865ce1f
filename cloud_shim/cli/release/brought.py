"""The packages that a worker on a board has already: their versions there, and empty wheels that stand in for them.

Only these bind a function's own packages: a worker has them in memory before the function's code. All other libraries
of the agent are its own affair, and a function may have any version of them. Choosing is wheels.py's.
"""

import contextlib
import importlib.metadata
import zipfile
from collections.abc import Mapping
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cloud_shim.cli.release.target import Platform

# What workers/zygote.py imports before it forks: Blinka with its own parts, and the libraries for models.
HARDWARE = ("adafruit-blinka", "adafruit-platformdetect", "adafruit-pureio", "gpiod")
MODELS = ("numpy", "onnxruntime")
# A build number above any real one: of two wheels of one version the stand-in is taken.
_BUILD = 999999999


def versions(libraries: Mapping[str, str], models: bool) -> dict[str, str]:
    """The version of each such package on a board; "" for one of unknown version.

    `libraries` is the board's report. Of what an older agent leaves out, this machine's version is taken: it has the
    same libraries, or nearly. `models` says whether the board has those for models.
    """
    told = {str(canonicalize_name(name)): version for name, version in libraries.items() if _is_version(version)}
    wanted = (*HARDWARE, *(MODELS if models else ()))
    if told:
        # A board without pins has no Blinka, and binds nobody to it.
        return {name: told[name] for name in wanted if name in told}
    return {name: _here(name) for name in wanted}


def _is_version(text: str) -> bool:
    with contextlib.suppress(InvalidVersion):
        return bool(Version(text))
    return False


def _here(name: str) -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    return ""


def stand_ins(brought: Mapping[str, str], platform: Platform, folder: Path) -> None:
    """Write an empty wheel for each package of known version into `folder`, which is made.

    With them pip needs no wheel in the index for a package that is not sent, and fetches none.
    """
    folder.mkdir()
    for name, version in brought.items():
        if version:
            _stand_in(name.replace("-", "_"), str(Version(version)), platform, folder)


def _stand_in(name: str, version: str, platform: Platform, folder: Path) -> None:
    python = f"cp{platform.python[0]}{platform.python[1]}"
    tag = f"{python}-{python}-{platform.tags()[0]}"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-{_BUILD}-{tag}.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
