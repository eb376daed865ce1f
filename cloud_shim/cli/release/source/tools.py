"""The tools of a build: wheels for *this* machine, by the names in a package's own words, unpacked into a folder.

pip fetches them and starts nothing, so that no tool is built in its turn. They run in the confined process only.
"""

from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from cloud_shim.cli.release import wheel_files, wheels
from cloud_shim.cli.release.pip_process import Pip
from cloud_shim.cli.release.requirements import by_name_only
from device.errors import LamplightError, RejectedError

# Each of these is for code that is compiled for one processor.
COMPILERS = frozenset(
    (
        *("maturin", "setuptools-rust", "meson-python", "scikit-build", "scikit-build-core"),
        *("cmake", "pybind11", "nanobind", "ziglang"),
    )
)


def asked(lines: Sequence[str], what: str) -> list[Requirement]:
    """The requirements in the words of a package; raises RejectedError for one that is none, or names an address."""
    return [_asked(each, f"A tool of {what}, {each[:80]!a},") for each in lines]


def _asked(line: str, where: str) -> Requirement:
    try:
        return by_name_only(Requirement(line), where)
    except InvalidRequirement as error:
        raise RejectedError(f"{where} is refused", str(error).splitlines()[0]) from None


def compilers(wanted: Sequence[Requirement]) -> list[str]:
    """Those that compile."""
    return [each.name for each in wanted if canonicalize_name(each.name) in COMPILERS]


def fetch(wanted: Sequence[Requirement], what: str, folder: Path, pip: Pip) -> Path:
    """A folder with the tools, below `folder`, a new one.

    Raises RejectedError when one has no wheel for this machine, OfflineError without the index.
    """
    files, unpacked, listed = folder / "wheels", folder / "tools", folder / "tools.txt"
    files.mkdir(parents=True)
    unpacked.mkdir()
    listed.write_text("".join(f"{each}\n" for each in wanted), "utf-8")
    if wanted:
        done = pip(["download", "--only-binary", ":all:", "-r", str(listed), "-d", str(files)], {})
        if done.returncode != 0:
            raise _failure(done.stderr, what)
    with wheel_files.opened(sorted(files.glob("*.whl"))) as opened:
        wheel_files.write(wheel_files.together(opened), unpacked)
    for each in (unpacked, *unpacked.rglob("*")):
        # For the user of the confined process, whatever this one's umask is.
        if each.is_dir():
            each.chmod(0o755)
    return unpacked


def _failure(told: str, what: str) -> LamplightError:
    return wheels.unreachable(told) or RejectedError(
        f"{what} cannot be built here",
        f"a tool of its build has no wheel for this machine: {wheels.reason(told)}",
        "Choose another",
    )
