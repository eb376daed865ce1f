"""Looks at a stranger's unpacked artifact inside a sandbox: `python -m device.artifact.inspector FOLDER PARENT`.

It limits and confines itself before it reads a byte, then prints bundle.py's verdict as JSON. inspection.py starts it
and judges its end.
"""

import json
import os
import sys
import tomllib
from pathlib import Path

from device import texts
from device.artifact import bundle
from device.errors import BadArtifactError, LamplightError, NotFoundError

# Far above what a good artifact needs; a hostile one must not take the machine along.
CPU_SECONDS = 20
MEMORY = 256 * 1024 * 1024
MAX_ANSWER = 1024 * 1024
_FILES = 64


def main() -> None:
    """Answer on standard output; exit code 0 whenever there is an answer."""
    folder, parent = Path(sys.argv[1]), int(sys.argv[2])
    if sys.platform != "win32":
        # Imported here and below: the shim imports this module on Windows too, where they cannot be.
        from device.die_with_parent import die_with_parent
        from device.private_memory import keep_memory_private

        keep_memory_private()
        die_with_parent(parent)
        _limit()
    try:
        if sys.platform == "linux":
            _confine(folder)
    except LamplightError as error:
        sys.stdout.write(json.dumps(_refusal(error) | {"unlooked": True}))
        return
    sys.stdout.write(json.dumps(answer(folder)))


def answer(folder: Path) -> dict[str, object]:
    """The verdict on the artifact unpacked in `folder`: its kind, name and manifest, or its fault."""
    try:
        kind = bundle.kind(folder)
        name = bundle.read(folder).name
        manifest = json.dumps(tomllib.loads(texts.read(folder / bundle.FILES[kind])))
        return {"ok": True, "kind": kind, "name": name, "manifest": manifest}
    except NotFoundError:
        return {"ok": False, "unknown": True}
    except BadArtifactError as error:
        if isinstance(error.__context__, MemoryError):
            return {"ok": False, "limit": "memory"}
        return _refusal(error)
    except LamplightError as error:
        return _refusal(error)
    except MemoryError:
        return {"ok": False, "limit": "memory"}


def _refusal(error: LamplightError) -> dict[str, object]:
    return {"ok": False, "what": error.what, "why": error.why, "remedy": error.remedy}


def _limit() -> None:
    import resource

    from device.runtime.confinement import rlimits

    rlimits.limit(MAX_ANSWER)
    for kind, most in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_NOFILE, _FILES)):
        resource.setrlimit(kind, (most, most))
    rlimits.limit_memory(MEMORY)


def _confine(folder: Path) -> None:
    """Leave it nothing but reading: Python's own files and `folder`. Each mechanism where the kernel has it."""
    from device.runtime.confinement import filter, kernel, landlock, paths

    kernel.no_new_privileges()
    if os.geteuid() == 0:
        kernel.drop_capabilities()
    if landlock.version():
        readable = [folder, *(real for _, real in paths.readable(folder, network=False))]
        landlock.restrict(readable, (), (), network=False)
    nothing = filter.Grants(network=False, signals=False, watches=False)
    try:
        kernel.install_filter(filter.program(kernel.machine(), nothing, os.getpid()))
    except OSError as error:
        raise LamplightError(
            "The artifact was not looked at",
            f"this kernel installs no filter of system calls, and without one no stranger's bytes are read: {error}",
            "Use a kernel with seccomp (CONFIG_SECCOMP_FILTER)",
        ) from error


if __name__ == "__main__":
    main()
