"""The surroundings of a handler's process before its code is imported: variables, time zone, and a cloud's folder.

The confinement is set elsewhere; this only makes the place look as the function's manifest says.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def settle(variables: Mapping[str, str], folder: str) -> Callable[[], None]:
    """Set these variables, and go to `folder` unless it is "". The result puts everything back."""
    before = {name: os.environ.get(name) for name in variables}
    here = Path.cwd() if folder else None
    os.environ.update(variables)
    _follow_zone(variables)
    if folder:
        os.chdir(folder)

    def back() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _follow_zone(before)
        if here:
            os.chdir(here)

    return back


def _follow_zone(variables: Mapping[str, object]) -> None:
    if "TZ" in variables:
        time.tzset()
