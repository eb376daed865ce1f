"""Which libraries this agent runs with, and in which versions: what it requires, and what these require in turn.

They are those of the system or the environment that Lamplight is installed in; a deployment brings none of them. It
looks at what is installed, and imports nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement

# What a board that runs models has beside the agent.
_MODELS = ("onnxruntime", "numpy")
# Each name is looked up on the disk once; a board has a few dozen.
MOST = 200


@cache
def installed() -> dict[str, str]:
    """The version of each library by its normalised name (PEP 503), sorted; the agent itself is none of them."""
    ours = _found("lamplight")
    return closure([*(ours[1] if ours else ()), *_MODELS], _found)


def closure(wanted: Iterable[str], find: Callable[[str], tuple[str, Sequence[str]] | None]) -> dict[str, str]:
    """What `wanted` comes to, in PEP 508 form; `find` gives a library's version and its requirements, or None."""
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
    """The libraries that these ask for on this machine."""
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
