"""The script in which pip runs: `python -P pip_alone.py install …`. It lets pip start no other program.

Building a package, and fetching one with git, is always a program that pip starts. Wheels need none: they are fetched
and unpacked. So no code of a package can run, whatever a package's metadata asks for.
"""

import runpy
import sys

REFUSED = "Lamplight lets pip start no other program"
_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty")


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    # An OSError: pip asks the system for its name by programs, and goes on when they are missing.
    if event in _STARTS:
        raise PermissionError(REFUSED)


if __name__ == "__main__":
    sys.addaudithook(_refuse)
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
