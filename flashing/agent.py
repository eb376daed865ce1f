"""The agent with all its libraries for one kind of board, as one archive for each Python the board may have.

The wheels are the board's instead of this machine's, chosen once and checked by their digests; the board only unpacks.
Writing to a card is done elsewhere.
"""

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from boards import Machine
from cloud_shim.cli.release import agent_release, lock, wheel_files, wheels
from cloud_shim.cli.release.pip_process import Pip, prepared
from cloud_shim.cli.release.requirements import Wanted
from cloud_shim.cli.release.target import described
from cloud_shim.cli.release.wheels import Question, Wheel
from device.artifact import agent
from device.errors import NotFoundError, RejectedError
from device.protocol.deployment import AGENT_FILE
from device.protocol.layer import LOCK_FILE

# Those of Raspberry Pi OS Bookworm and Trixie.
PYTHONS = ("3.11", "3.13")
# The extra `ai`: the libraries for models, where a board can run them.
MODELS = ("onnxruntime>=1.24", "numpy>=1.26")
# No board uses these, and each would transfer, unpack and compile them: a third of the bytes, a third of the code.
_LEFT_OUT = (
    *("__pycache__", "tests", "*.pyi"),
    # Tools that make models and compile extensions, on a larger machine.
    *(f"onnxruntime/{name}" for name in ("backend", "datasets", "quantization", "tools", "transformers")),
    "numpy/f2py",
    # The same library for programs in C, and the same for PyPy.
    *("onnxruntime/capi/libonnxruntime.so*", "zstandard/_cffi.*"),
    "securesystemslib/_vendor/ed25519/test_data",
)
_SCRIPTS = ("install.sh", "remove.sh")
# systemd's units: the agent's, and the helper's that gives functions users of their own.
UNITS = ("lamplight.service", "lamplight-users.socket", "lamplight-users@.service")
# Where wheels put commands for a shell.
_COMMANDS = "bin/"


def archives(machine: Machine, pythons: Sequence[str], say: Callable[[str], None]) -> dict[str, bytes]:
    """The archives for `pythons`, and SHA256SUMS of them, by file name.

    Raises RejectedError when the machine or a library has no wheels, LamplightError with pip's words when it fails.
    """
    if not machine.wheels:
        raise RejectedError(
            "There are no wheels for this board",
            f"nothing is published for {machine.architecture}",
            "see its README.md",
        )
    made: dict[str, bytes] = {}
    pip = prepared()
    for python in pythons:
        say(f"Fetching the libraries for Python {python} on {machine.wheels}")
        made[f"agent-{python}.tar.gz"] = _archive(machine, python, pip)
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in made.items())
    return {**made, "SHA256SUMS": sums.encode()}


def _archive(machine: Machine, python: str, pip: Pip) -> bytes:
    with tempfile.TemporaryDirectory(prefix="lamplight-agent-") as scratch:
        work = Path(scratch)
        tree = work / "tree"
        version = _our_packages(tree)
        needs = [*_needs(tree), *MODELS]
        what = f"The libraries for Python {python}"
        target = wheels.Target(what, machine.wheels, described(machine.wheels, python, machine.architecture))
        chosen = wheels.resolve(Question(needs, (), {}, target), work / "resolution", pip).wheels
        with wheel_files.opened(wheels.fetch(chosen, target, work / "wheels", pip)) as opened:
            files = wheel_files.together(opened)
            wheel_files.write([each for each in files if not each.name.startswith(_COMMANDS)], tree)
        _name_ourselves(tree, version, chosen)
        return _packed(tree)


def _our_packages(tree: Path) -> str:
    """The packages of the agent, with their `runtime.toml`; gives the version."""
    source = agent_release.here()
    data, manifest = agent_release.pack(source)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(tree, filter="data")
    return manifest.version


def _needs(tree: Path) -> list[str]:
    """The agent's requirements; those for other systems than the board's fall away in the resolution."""
    needed = agent.read(tree).requires
    if elsewhere := next((each for each in needed if each.url), None):
        raise RejectedError(f"{elsewhere.name} is to come from {elsewhere.url}", "only wheels of the index are taken")
    return [Wanted(each).line() for each in needed]


def _name_ourselves(tree: Path, version: str, chosen: Sequence[Wheel]) -> None:
    """The distribution's metadata: an installed agent says its version by it; a `runtime.toml` is a deployed one's.

    The libraries' digests and origins lie beside it.
    """
    (tree / AGENT_FILE).unlink()
    info = tree / f"{agent_release.DISTRIBUTION}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {agent_release.DISTRIBUTION}\nVersion: {version}\n")
    (info / LOCK_FILE).write_text(lock.origins(chosen), "utf-8")


def _packed(tree: Path) -> bytes:
    made = io.BytesIO()
    # xz would save a quarter of the bytes; a board would unpack three times as long.
    with tarfile.open(fileobj=made, mode="w:gz", compresslevel=6) as archive:
        archive.add(tree, ".", filter=_for_the_board)
    return made.getvalue()


def _for_the_board(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Owned by root; None for files that no board uses, for it would unpack and compile them."""
    if any(PurePosixPath(entry.name).match(each) for each in _LEFT_OUT):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def own_files() -> Mapping[str, bytes]:
    """The files run on the board to install the archives and to be rid of them again: the scripts and the units."""
    folder = Path(__file__).parent / "on_board"
    return {name: (folder / name).read_bytes() for name in (*_SCRIPTS, *UNITS)}


def check_pythons(pythons: Sequence[str]) -> Sequence[str]:
    """`pythons`, or the usual ones when empty; NotFoundError for a Python without wheels."""
    for each in pythons:
        major, _, minor = each.partition(".")
        if major != "3" or not minor.isdigit() or int(minor) < 11:
            raise NotFoundError(f"The agent does not run on Python {each}", "it needs 3.11 or newer", "--python 3.13")
    return pythons or PYTHONS
