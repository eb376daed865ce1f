"""Which files a worker needs besides its bundle, its models and its scratch folder: Python, the C library, devices.

It only names them; view.py and landlock.py make it so. Nothing here may name a folder in which the agent keeps
something.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import boards
import device

# Programs, libraries and what they read. Of /etc only these: the rest may hold secrets of the agent's user.
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/sys"),
    *(
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/alternatives",
        "/etc/localtime",
        "/etc/timezone",
    ),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/mime.types"),
)
_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/ssl")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def readable(scratch: Path, network: bool) -> list[Path]:
    """What every worker may read. Libraries in a folder that also holds `scratch` are left out, but for our own."""
    libraries = [sys.prefix, sys.base_prefix, *sys.path]
    apart = [path for path in map(Path, libraries) if path.is_absolute() and not scratch.is_relative_to(path)]
    ours = [Path(package.__path__[0]) for package in (device, boards)]
    system = map(Path, (*_SYSTEM, *(_NETWORK if network else ())))
    return [*system, *_with_targets(map(Path, _NETWORK if network else ())), *apart, *ours]


def devices() -> list[Path]:
    """Devices that hold nothing."""
    return [Path(path) for path in _DEVICES]


def groups(paths: Iterable[Path]) -> list[int]:
    """The groups, but root's, by which these devices may be used: `i2c` and `gpio`, without asking for their names."""
    found = [path.stat() for path in paths if path.exists()]
    return sorted({each.st_gid for each in found if each.st_gid and each.st_mode & 0o060})


def _with_targets(paths: Iterable[Path]) -> list[Path]:
    """What those that are symbolic links lead to: /etc/resolv.conf often leads to /run."""
    return [path.resolve() for path in paths if path.is_symlink()]
