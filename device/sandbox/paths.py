"""The files a worker needs besides its bundle, its models and its scratch folder: Python, the C library, devices.

It only names them; view.py and landlock.py act on them. Every folder of the agent's own data must stay out of here.
"""

import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import boards
import device

# Programs, libraries and their files. Of /etc only these: the rest may hold secrets of the agent's user.
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/sys"),
    *("/etc/ld.so.cache", "/etc/timezone", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf"),
)
_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/ssl")
# The one of these that changes while the agent runs: it leads to the board's time zone.
_ZONE = Path("/etc/localtime")
# Without /dev/zero: mapped shared, it is memory that no limit counts.
_DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")

# The kernel's number for groups that this user namespace has not got (/proc/sys/kernel/overflowgid).
_NOT_MAPPED = 65534

# A path as programs name it, and where it really is: another place when there are symbolic links on the way.
Shown = tuple[Path, Path]


def common(network: bool) -> tuple[Shown, ...]:
    """The existing, readable paths among those for every worker, and the devices that hold no data."""
    zone = ((_ZONE, _ZONE.resolve()),) if os.access(_ZONE, os.R_OK) else ()
    return (*lasting(network), *zone)


@cache
def lasting(network: bool) -> tuple[Shown, ...]:
    """Those of `common` that stay. Looked up once, in the zygote, for it takes some time."""
    # Beside one another, in a clone, on a board and where a wheel is installed. The last is for functions to import.
    home = Path(device.__path__[0]).parent
    ours = (home / "device", Path(boards.__path__[0]), home / "lamplight")
    named = (*_SYSTEM, *_DEVICES, *(_NETWORK if network else ()), sys.prefix, sys.base_prefix, *sys.path, *ours)
    found = [path for path in dict.fromkeys(map(Path, named)) if path.is_absolute() and os.access(path, os.R_OK)]
    return tuple((path, path.resolve()) for path in found)


def readable(scratch: Path, network: bool) -> tuple[Shown, ...]:
    """As `common`, minus any library folder around this scratch folder: the agent's state is there too."""
    every = common(network)
    above = set(scratch.parents)
    return tuple(each for each in every if each[1] not in above) if any(each[1] in above for each in every) else every


def devices() -> list[Path]:
    """The devices of `common`; they hold no data."""
    return [Path(path) for path in _DEVICES]


def groups(paths: Iterable[Path]) -> list[int]:
    """The groups, except root's, with the right to use these devices: `i2c` and `gpio`, found without their names.

    A group that is not in this process's user namespace is left out: nobody in it can be its member.
    """
    found = [path.stat() for path in paths if os.access(path, os.F_OK)]
    return sorted({each.st_gid for each in found if each.st_gid not in (0, _NOT_MAPPED) and each.st_mode & 0o060})
