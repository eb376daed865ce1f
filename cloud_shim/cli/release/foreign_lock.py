"""The wheels for a board in a pylock.toml that another tool wrote (PEP 751), by the standard's own rules.

The lock's addresses are not fetched: the configured index is asked by version and digest. lock.py has our own locks.
"""

from collections.abc import Mapping
from typing import Any

from packaging.pylock import Package, PackageWheel, Pylock, PylockSelectError, PylockValidationError
from packaging.tags import Tag, compatible_tags, cpython_tags

from cloud_shim.cli.release.target import Platform
from cloud_shim.cli.release.wheels import Wheel
from device.errors import RejectedError, UsageError
from device.protocol.layer import LOCK_FILE


def wheels(lock: Mapping[str, Any], platform: Platform) -> tuple[Wheel, ...]:
    """The wheels that the lock has for this platform, sorted by name.

    Raises UsageError for a table that is no lock, RejectedError when it has no wheel of a package for the board.
    """
    try:
        found = Pylock.from_dict(lock)
        environment: Any = platform.environment()
        chosen = list(found.select(environment=environment, tags=tags(platform)))
    except PylockValidationError as error:
        raise UsageError(f"{LOCK_FILE} is no lock", str(error)) from None
    except PylockSelectError as error:
        raise RejectedError(
            f"{LOCK_FILE} cannot be met for {platform}", str(error), "Lock again for this board's system and Python"
        ) from None
    return tuple(sorted((_wheel(package, file, platform) for package, file in chosen), key=lambda each: each.name))


def tags(platform: Platform) -> list[Tag]:
    """The tags of wheels for the board, the best first."""
    places = platform.tags()
    interpreter = f"cp{platform.python[0]}{platform.python[1]}"
    return [
        *cpython_tags(platform.python, platforms=places),
        *compatible_tags(platform.python, interpreter, platforms=places),
    ]


def _wheel(package: Package, file: object, platform: Platform) -> Wheel:
    digest = file.hashes.get("sha256", "") if isinstance(file, PackageWheel) else ""
    if not isinstance(file, PackageWheel) or package.version is None or len(digest) != 64:
        raise RejectedError(
            f"{LOCK_FILE} cannot be met for {platform}",
            f"of {package.name} it has no wheel with a sha256, and only wheels are taken",
            f"Choose a version of {package.name} that has one",
        )
    return Wheel(package.name, str(package.version), digest, file.filename, file.url or "")
