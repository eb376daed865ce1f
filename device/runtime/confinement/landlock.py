"""Landlock: from here on this process opens only what lies below the given paths, whoever's user it is.

Without privileges and for good (Landlock(7)). What the kernel's version cannot deny stays allowed; connecting to a Unix
socket by its path is such a thing in all of them.
"""

import os
import stat
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from device.runtime.confinement import kernel

# The same numbers on all architectures, but for MIPS's offset.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
# LANDLOCK_ACCESS_FS_*, <linux/landlock.h>
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_READING = _EXECUTE | _READ_FILE | _READ_DIR
# How many of the rights each version knows, from the first bit on.
_KNOWN = {1: 13, 2: 14, 3: 15, 4: 15}
_KNOWN_SINCE_5 = 16
# LANDLOCK_ACCESS_NET_BIND_TCP, …_CONNECT_TCP; LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, …_SIGNAL
_TCP = 0b11
_SCOPES = 0b11


def version() -> int:
    """Of Landlock's interface in this kernel; 0 where there is none."""
    try:
        return kernel.syscall(kernel.machine().offset + _CREATE, 0, 0, _VERSION)
    except OSError:
        return 0


@dataclass(frozen=True)
class Rules:
    """`wanted` is struct landlock_ruleset_attr, `allowed` are paths with what may be done there."""

    wanted: bytes
    allowed: Sequence[tuple[str, int]]


def rules(
    version: int, readable: Iterable[Path], writable: Iterable[Path], kept: Iterable[Path], network: bool
) -> Rules:
    """Allow reading below `readable`, everything below `writable`, writing into the files that are there below `kept`,
    TCP when `network`. Signals and abstract Unix sockets reach only a process and its children, where this `version`
    can say so.
    """
    every = (1 << _KNOWN.get(version, _KNOWN_SINCE_5)) - 1
    wanted = struct.pack("=QQQ", every, 0 if network else _TCP, _SCOPES)
    size = 8 if version < 4 else 16 if version < 6 else 24
    kinds = ((readable, _READING), (writable, every), (kept, _OF_FILES | _READ_DIR))
    return Rules(wanted[:size], [(str(path), access & every) for paths, access in kinds for path in paths])


def restrict(rules: Rules) -> None:
    """Allow this process no more than that. Needs no_new_privileges.

    Paths that do not exist are left out. Raises OSError.
    """
    offset = kernel.machine().offset
    ruleset = kernel.syscall(offset + _CREATE, rules.wanted, len(rules.wanted), 0)
    try:
        for path, access in rules.allowed:
            _allow(offset + _ADD, ruleset, path, access)
        kernel.syscall(offset + _RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(number: int, rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            access &= _OF_FILES
        kernel.syscall(number, rules, _PATH_BENEATH, struct.pack("=Qi", access, place), 0)
    finally:
        os.close(place)
