"""The script in which pip runs: `python -P pip_alone.py install …`. It lets pip start no other program.

Building a package, and fetching one with git, is always a program that pip starts. Wheels need none: they are fetched
and unpacked. So no code of a package can run, whatever a package's metadata asks for.

Environment markers are the board's: pip has options for a board's tags and Python, but asks the machine it runs on for
its markers. With MARKERS in the environment it is given those instead (docs/adr/0017).

With `--take FOLDER` before pip's own arguments, the first source distribution that pip fetched and checked is copied
to the folder, and pip ends. pip would unpack it next, and run its code for its metadata.
"""

import json
import os
import runpy
import shutil
import sys

MARKERS = "LAMPLIGHT_MARKERS"
TAKE = "--take"
TAKEN = "Lamplight has the source distribution"
REFUSED = "Lamplight lets pip start no other program"
CHANGED = "Lamplight cannot give this pip the board's environment markers"
CHANGED_SOURCE = "Lamplight cannot take a source distribution from this pip"
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


def _take_to(folder: str) -> None:
    """Have pip end where it would unpack a source distribution, with a copy of the file in this folder."""
    from pip._internal.exceptions import CommandError
    from pip._internal.operations import prepare

    def take(filename: str, *_: object, **__: object) -> None:
        shutil.copyfile(filename, os.path.join(folder, os.path.basename(filename)))  # noqa: PTH118, PTH119
        raise CommandError(TAKEN)

    if not hasattr(prepare, "unpack_file"):
        sys.exit(CHANGED_SOURCE)
    setattr(prepare, "unpack_file", take)  # noqa: B010


if __name__ == "__main__":
    sys.addaudithook(_refuse)
    if sys.argv[1:2] == [TAKE]:
        _take_to(sys.argv[2])
        del sys.argv[1:3]
    if MARKERS in os.environ:
        _judge_for(json.loads(os.environ[MARKERS]))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
