"""Landlock: from here on this process opens only paths below the given ones, under any user.

It needs no privileges and lasts for good (Landlock(7)). Operations beyond the kernel's version stay allowed; connecting
to a Unix socket by its path is such an operation in all versions.
"""

import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from device.sandbox import kernel

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
SCOPES_SINCE = 6
"""Signals are kept in from this version of the interface on."""


def version() -> int:
    """The version of Landlock's interface in this kernel; 0 for a kernel without it."""
    try:
        return kernel.syscall(kernel.machine().offset + _CREATE, 0, 0, _VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[Path], writable: Iterable[Path], kept: Iterable[Path], network: bool) -> None:
    """Allow reading below `readable`, everything below `writable`, writing into existing files below `kept`.

    TCP is allowed when `network`. Needs no_new_privileges. Missing paths are skipped. Where the kernel knows how,
    signals and abstract Unix sockets reach only this process and its children. Raises OSError.
    """
    offset, known = kernel.machine().offset, version()
    every = (1 << _KNOWN.get(known, _KNOWN_SINCE_5)) - 1
    wanted = struct.pack("=QQQ", every, 0 if network else _TCP, _SCOPES)
    size = 8 if known < 4 else 16 if known < SCOPES_SINCE else 24
    rules = kernel.syscall(offset + _CREATE, wanted[:size], size, 0)
    try:
        for paths, access in ((readable, _READING), (writable, every), (kept, _OF_FILES | _READ_DIR)):
            for path in paths:
                _allow(offset + _ADD, rules, path, access & every)
        kernel.syscall(offset + _RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _allow(number: int, rules: int, path: Path, access: int) -> None:
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
