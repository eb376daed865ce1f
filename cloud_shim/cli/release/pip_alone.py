"""The script in which pip runs: `python -P pip_alone.py install …`. It lets pip start no other program.

Building a package, and fetching one with git, is always a program that pip starts. Wheels need none: they are fetched
and unpacked. So no code of a package can run, whatever a package's metadata asks for.

Environment markers are the board's: pip has options for a board's tags and Python, but asks the machine it runs on for
its markers. With MARKERS in the environment it is given those instead (docs/adr/0017).
"""

import json
import os
import runpy
import sys

MARKERS = "LAMPLIGHT_MARKERS"
REFUSED = "Lamplight lets pip start no other program"
CHANGED = "Lamplight cannot give this pip the board's environment markers"
_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty")


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    # An OSError: pip asks the system for its name by programs, and goes on when they are missing.
    if event in _STARTS:
        raise PermissionError(REFUSED)


def _judge_for(environment: dict[str, str]) -> None:
    """Have pip's own `packaging` judge markers by this environment; ends with CHANGED when that has no effect."""
    from pip._vendor.packaging import markers

    setattr(markers, "default_environment", lambda: dict(environment))  # noqa: B010
    for name, value in environment.items():
        if not markers.Marker(f"{name} == '{value}'").evaluate({"extra": ""}):
            sys.exit(CHANGED)


if __name__ == "__main__":
    sys.addaudithook(_refuse)
    if MARKERS in os.environ:
        _judge_for(json.loads(os.environ[MARKERS]))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
