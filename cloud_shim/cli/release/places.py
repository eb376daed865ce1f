"""Where a function's packages come from, beyond pip's own configuration: `[packages]` of lamplight.toml.

One file may lie beside the function, another in the person's own folder (~/.config/lamplight): the first goes before
the second, setting by setting. No board gets either. requirements.txt has no such options: names and places are apart.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from device.errors import UsageError

FILE = "lamplight.toml"
_MAX_BYTES = 64 * 1024
_SETTINGS = ("index", "extra-indexes", "wheels")
_EXAMPLE = 'Write `wheels = ["wheels"]` or `index = "https://pypi.example/simple"` under [packages]'


@dataclass(frozen=True)
class Places:
    """The index, further ones, and folders with wheels; a setting left out is None, and pip's own counts."""

    index: str | None = None
    extra: tuple[str, ...] | None = None
    wheels: tuple[Path, ...] | None = None

    def over(self, settings: Mapping[str, str]) -> dict[str, str]:
        """pip's settings, with these instead of its own. Folders with wheels add to pip's."""
        ours = dict(settings)
        if self.index is not None:
            ours["index-url"] = self.index
            # A setting of pip's that would keep it from the index named here; others of pip's are not ours to ask.
            for each in ("no-index", "extra-index-url"):
                ours.pop(each, None)
        if self.extra is not None:
            ours["extra-index-url"] = " ".join(self.extra)
        if self.wheels is not None:
            # An address has no space, at which pip would cut a path.
            found = [each.as_uri() for each in self.wheels]
            ours["find-links"] = " ".join([*found, ours.get("find-links", "")]).strip()
        return ours


def read(folder: Path) -> Places:
    """The places for the function in `folder`; raises UsageError for a file that is not understood."""
    near, far = _read(folder / FILE), _read(home() / FILE)
    return Places(
        near.index if near.index is not None else far.index,
        near.extra if near.extra is not None else far.extra,
        near.wheels if near.wheels is not None else far.wheels,
    )


def home() -> Path:
    """The person's own folder for Lamplight."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "lamplight"


def _read(file: Path) -> Places:
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Places()
    except OSError as error:
        raise UsageError(f"{file} cannot be read", error.strerror or str(error)) from None
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError("it is too long")
        return _places(tomllib.loads(data.decode()), file.parent)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not understood", str(error), _EXAMPLE) from None


def _places(told: Mapping[str, Any], folder: Path) -> Places:
    about: Any = told.get("packages", {})
    unknown = sorted({*told} - {"packages"})
    if not unknown and isinstance(about, dict):
        unknown = sorted({str(each) for each in cast("dict[str, Any]", about)} - {*_SETTINGS})
    if unknown or not isinstance(about, dict):
        name = unknown[0] if unknown else "packages"
        raise ValueError(f"{name!r} is no setting; there are {', '.join(_SETTINGS)} in [packages]")
    given = cast("dict[str, Any]", about)
    index, extra, wheels = (given.get(each) for each in _SETTINGS)
    return Places(
        None if index is None else _address(index),
        None if extra is None else tuple(_address(each) for each in _listed(extra, "extra-indexes")),
        None if wheels is None else tuple(_folder(each, folder) for each in _listed(wheels, "wheels")),
    )


def _listed(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{key} is a list")
    return cast("list[Any]", value)


def _address(value: object) -> str:
    if not isinstance(value, str) or urlsplit(value).scheme not in ("https", "http", "file") or len(value.split()) != 1:
        raise ValueError(f"{value!r} is no address of an index")
    return value


def _folder(value: object, beside: Path) -> Path:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{value!r} is no folder")
    # Relative to the file, whatever the working directory is.
    found = (beside / Path(value).expanduser()).resolve()
    if not found.is_dir():
        raise ValueError(f"there is no folder {found}")
    return found
