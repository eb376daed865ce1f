"""Looks at a stranger's unpacked artifact inside a sandbox: `python -m device.artifact.inspector FOLDER PARENT`.

It limits and confines itself before it reads a byte, then prints bundle.py's verdict as JSON. inspection.py starts it
and judges its end.
"""

import json
import sys
import tomllib
from pathlib import Path

from device import texts
from device.artifact import bundle
from device.errors import LamplightError, NotFoundError
from device.sandbox import reader

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
        reader.confine(folder)
    except LamplightError as error:
        sys.stdout.write(json.dumps(_refusal(error) | {"unlooked": True}))
        return
    sys.stdout.write(json.dumps(answer(folder)))


def answer(folder: Path) -> dict[str, object]:
    """The verdict on the artifact unpacked in `folder`: its kind, name and manifest, or its fault."""
    try:
        kind = bundle.kind(folder)
    except NotFoundError:
        return {"ok": False, "unknown": True}
    try:
        name = bundle.read(folder).name
        manifest = json.dumps(tomllib.loads(texts.read(folder / bundle.FILES[kind])))
        return {"ok": True, "kind": kind, "name": name, "manifest": manifest}
    except Exception as error:
        if _out_of_memory(error):
            return {"ok": False, "limit": "memory"}
        if isinstance(error, LamplightError):
            return _refusal(error)
        raise


def _out_of_memory(error: BaseException | None) -> bool:
    """Whether the error comes from a lack of memory, on whatever way it was passed on."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _refusal(error: LamplightError) -> dict[str, object]:
    return {"ok": False, "what": error.what, "why": error.why, "remedy": error.remedy}


def _limit() -> None:
    import resource

    from device.sandbox import rlimits

    rlimits.limit(MAX_ANSWER)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    # SIGXCPU at the first, SIGKILL at the second: by the first its end tells of this limit.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    rlimits.limit_memory(MEMORY)


if __name__ == "__main__":
    main()
