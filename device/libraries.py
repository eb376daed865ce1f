"""The agent's libraries and their versions: its requirements, and theirs in turn.

They are installed beside Lamplight, in the system or an environment, apart from all deployments. Only their metadata is
read.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement

# Beside the agent, on boards with models.
_MODELS = ("onnxruntime", "numpy")
# Each name is looked up on the disk once; a board has a few dozen.
MOST = 200


@cache
def installed() -> dict[str, str]:
    """The version of each library by its normalised name (PEP 503), sorted."""
    ours = _found("lamplight")
    return closure([*(ours[1] if ours else ()), *_MODELS], _found)


def closure(wanted: Iterable[str], find: Callable[[str], tuple[str, Sequence[str]] | None]) -> dict[str, str]:
    """The libraries behind `wanted`, in PEP 508 form; `find` gives one's version and requirements, or None."""
    found: dict[str, str] = {}
    waiting = list(_names(wanted))
    while waiting and len(found) < MOST:
        name = waiting.pop()
        about = None if name in found else find(name)
        if about is not None:
            found[name] = about[0]
            waiting.extend(_names(about[1]))
    return dict(sorted(found.items()))


def normalised(name: str) -> str:
    """A library's name as all its spellings compare (PEP 503).

    >>> normalised("Adafruit_Blinka")
    'adafruit-blinka'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _names(requirements: Iterable[str]) -> Iterator[str]:
    """The libraries behind these requirements on this machine."""
    for each in requirements:
        try:
            wanted = Requirement(each)
        except InvalidRequirement:
            continue  # metadata from before PEP 508: the others still count
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield normalised(wanted.name)


def _found(name: str) -> tuple[str, Sequence[str]] | None:
    try:
        # Read once: a description of pages is parsed with it.
        about = metadata.distribution(name).metadata
    except metadata.PackageNotFoundError:
        return None
    return str(about["Version"]), about.get_all("Requires-Dist") or []
