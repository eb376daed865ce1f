"""Functions to start from; each folder is one, complete. They are also the examples in the documentation.

Lamplight's own models are copied in the same way: only a clone has their folders.
"""

from pathlib import Path

import models

_FOLDER = Path(__file__).parent
_MODELS = Path(models.__path__[0])


def names() -> list[str]:
    """The starters there are."""
    return sorted(each.parent.name for each in _FOLDER.glob("*/function.toml"))


def model_names() -> list[str]:
    """The models there are."""
    return sorted(each.parent.name for each in _MODELS.glob("*/model.toml"))


def path(name: str) -> Path:
    """The starter's or model's folder."""
    return _MODELS / name if name in model_names() else _FOLDER / name
