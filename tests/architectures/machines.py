"""Root file systems of other processors, out of Debian's packages, and the registration of their emulator.

Needs root, mmdebstrap and qemu-user-static, as tests/install-tools.sh installs them. It starts nothing on a machine.
"""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_RECIPES = Path("/usr/share/binfmts")
_REGISTERED = Path("/proc/sys/fs/binfmt_misc")
_MIRROR = "http://deb.debian.org/debian"


@dataclass(frozen=True)
class Machine:
    """`uname` is what the kernel calls it, `emulator` what QEMU does, `packages` are Debian's besides Python's own.

    `wheels` is the board whose wheels it takes, "" where PyPI has none for it.
    """

    debian: str
    uname: str
    emulator: str
    packages: tuple[str, ...]
    wheels: str = ""

    def can_run(self, root: Path) -> bool:
        """Whether a program of `root` runs here."""
        tried = subprocess.run(["chroot", root, "/usr/bin/python3", "-c", ""], capture_output=True)
        return tried.returncode == 0


# What wheels want of the system.
_FOR_WHEELS = ("libstdc++6",)
# Where PyPI has no wheels, Debian's own packages are what a board of that kind would use.
_COMPILED = ("python3-cryptography", "python3-cffi-backend")
MACHINES = (
    Machine("amd64", "x86_64", "x86_64", _FOR_WHEELS, "linux/x86-64"),
    Machine("arm64", "aarch64", "aarch64", _FOR_WHEELS, "linux/arm64"),
    Machine("armhf", "armv7l", "arm", _COMPILED),
    Machine("mipsel", "mips", "mipsel", _COMPILED),
)
# The last Debian with mipsel.
_RELEASE = "bookworm"


def root(machine: Machine) -> Path:
    """The root file system of `machine`, made when it is not in the cache; nothing may be written to it."""
    packages = ",".join(("python3", "base-passwd", "ca-certificates", *machine.packages))
    recipe = hashlib.sha256(f"{machine.debian} {_RELEASE} {packages}".encode()).hexdigest()[:12]
    made = _cache() / f"{machine.debian}-{recipe}"
    if not made.is_dir():
        new = made.with_suffix(f".{os.getpid()}")
        _extract(machine, packages, new)
        new.rename(made)
    _register(machine, made)
    return made


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lamplight-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _extract(machine: Machine, packages: str, into: Path) -> None:
    """Unpacked only: no script of a package runs, so that nothing needs to be emulated."""
    command = ["mmdebstrap", "--variant=extract", "--skip=check/qemu", f"--architectures={machine.debian}"]
    done = subprocess.run([*command, f"--include={packages}", _RELEASE, into, _MIRROR], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for folder in ("proc", "sys", "opt/lamplight", "var/lib/lamplight", "tmp"):
        (into / folder).mkdir(parents=True, exist_ok=True)
    # Made by a script of base-passwd in a full installation.
    for name in ("passwd", "group"):
        shutil.copy(into / "usr/share/base-passwd" / f"{name}.master", into / "etc" / name)


def _register(machine: Machine, root: Path) -> None:
    """Have the kernel run programs of that processor by QEMU, unless it does; as systemd-binfmt does at boot."""
    if machine.can_run(root):
        return
    if not (_REGISTERED / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", _REGISTERED], check=True)
    lines = (_RECIPES / f"qemu-{machine.emulator}").read_text().splitlines()
    recipe = dict(line.split(" ", 1) for line in lines if " " in line)
    # F: the kernel opens the emulator now, so that it need not be in the other root.
    program = f"/usr/bin/qemu-{machine.emulator}-static:F"
    entry = f":lamplight-{machine.emulator}:M::{recipe['magic']}:{recipe['mask']}:{program}"
    (_REGISTERED / "register").write_text(entry)
    assert machine.can_run(root), f"programs for {machine.debian} do not run here"
