"""The program of the confined process: unpacks a source distribution, and has the package's own code build it.

It first takes from itself the files, network, system calls and rights of the person, by the means of a board's workers,
and ends where a machine has them not. The package's code runs after that only.
"""

import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cloud_shim.cli.release.source import hook, pyproject, unpacking
from cloud_shim.cli.release.source.order import MOST_BYTES, PLAN, REQUIRES, Answer, Order, texts
from cloud_shim.cli.release.source.unpacking import Refused
from device.die_with_parent import die_with_parent
from device.private_memory import keep_memory_private
from device.runtime.confinement.enter import Bounds, enter
from device.runtime.confinement.mechanisms import Mechanisms
from device.runtime.confinement.probe import mechanisms
from device.sandbox import landlock, paths, rlimits

_SCRATCH = 256 << 20
_MEMORY = 512 << 20
_PROCESSES = 16
_SECONDS = 300
_COMPILED = (".c", ".cc", ".cpp", ".cxx", ".pyx", ".rs", ".f", ".f90", ".go", ".zig")
_SHOWN = 3
# No compiler: one here makes code for this processor. Extensions that are optional are then left out.
_NONE = "/bin/false"
_ENVIRONMENT = {
    **dict.fromkeys(("CC", "CXX", "LD", "AR", "FC", "RUSTC", "CARGO", "CMAKE"), _NONE),
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    # The same source gives the same wheel: 1980-01-01, where a zip's time begins.
    "SOURCE_DATE_EPOCH": "315532800",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}


def missing(has: Mechanisms, home: Path, shown: Sequence[Path]) -> list[str]:
    """The confinement that this machine lacks, without which no package's code is run.

    A root of its own hides the sockets of a person's other programs, which Landlock leaves open. `shown` are the
    system's folders, which stay in sight: the person's must not lie in one.
    """
    needed = {
        "files (a root of its own)": has.view,
        f"{home} (it lies among the system's files)": not {home, *home.parents} & set(shown),
        "other processes' memory": has.landlock > 0 or has.user,
        "network": has.network_namespace or has.landlock >= landlock.SCOPES_SINCE,
        "system calls": has.filter,
        "the number of processes": has.processes,
    }
    return [name for name, present in needed.items() if not present]


def main() -> None:
    """Do what the order says, and write the answer."""
    die_with_parent(os.getppid())
    order = Order(**json.loads(sys.argv[1]))
    has = mechanisms()
    lacks = missing(has, Path(order.home).resolve(), [real for _, real in paths.common(network=False)])
    answer = Answer(lacks=tuple(lacks)) if lacks else _confined(order, has)
    sys.stdout.buffer.write(answer.sent())


def _confined(order: Order, has: Mechanisms) -> Answer:
    # This project's files are out of sight afterwards.
    script = Path(hook.__file__).read_text("utf-8")
    scratch = _confine(order, has)
    try:
        tree = unpacking.unpack(sys.stdin.buffer, order.file, _made(scratch / "source"))
        plan = _plan(tree)
    except Refused as error:
        return Answer(refused=str(error))
    if order.do == PLAN:
        return Answer(requires=plan.requires)
    out, compiled = _made(scratch / "out"), tuple(_compiled(tree))
    places = [*(str(tree / each) for each in plan.folders), order.tools]
    told = json.dumps({"do": order.do, "backend": plan.backend, "paths": places, "out": str(out)})
    if _run(script, told, tree, scratch, order.tools) != 0:
        return Answer(failed=True, compiled=compiled)
    return _answer(order, out)


def _confine(order: Order, has: Mechanisms) -> Path:
    room = Path(order.room).resolve()
    states, scratch = _made(room / "states"), _made(room / "scratch")
    tools = [Path(order.tools)] if order.tools else []
    enter(Bounds(tools, (), states, scratch, _SCRATCH, _PROCESSES, network=False, name="builder"), has)
    # A change of the user ends it.
    die_with_parent(os.getppid())
    keep_memory_private()
    rlimits.limit(_SCRATCH)
    rlimits.limit_memory(_MEMORY)
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    return scratch


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _plan(tree: Path) -> pyproject.Plan:
    file = tree / "pyproject.toml"
    try:
        return pyproject.plan(_read(file).decode("utf-8-sig") if file.is_file() else "")
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"its pyproject.toml is not understood: {error}") from None


def _run(script: str, order: str, tree: Path, scratch: Path, tools: str) -> int:
    me = os.getpid()
    homes = {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONPATH": tools}
    try:
        # -S: this machine's own packages are no tools of a build.
        return subprocess.run(
            [sys.executable, "-S", "-P", "-c", script, order],
            cwd=tree,
            env={**_ENVIRONMENT, **homes},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            preexec_fn=lambda: die_with_parent(me),
            check=False,
        ).returncode
    except (OSError, subprocess.SubprocessError, MemoryError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


def _answer(order: Order, out: Path) -> Answer:
    try:
        told: object = json.loads(_read(out / "answer.json"))
        if order.do == REQUIRES:
            return Answer(requires=texts(told))
        name = Path(str(told)).name
        return Answer(file=name, data=_read(out / name))
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        print(f"the build gave no wheel: {error}", file=sys.stderr)  # noqa: T201
        return Answer(failed=True)


def _read(path: Path) -> bytes:
    """A file of the package's, which may be a link, a pipe, or endless. Raises OSError."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path.name} is no file")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise OSError(f"{path.name} is too long")
    return data


def _compiled(tree: Path) -> Iterator[str]:
    found = sorted(each.relative_to(tree).as_posix() for each in tree.rglob("*") if each.suffix in _COMPILED)
    yield from found[:_SHOWN]


if __name__ == "__main__":
    main()
