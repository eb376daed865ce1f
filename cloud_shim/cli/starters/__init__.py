"""Functions to start from; each folder is one, complete. They are also the examples in the documentation."""

from pathlib import Path

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The starters there are."""
    return sorted(each.parent.name for each in _FOLDER.glob("*/function.toml"))


def path(name: str) -> Path:
    """The starter's folder."""
    return _FOLDER / name
