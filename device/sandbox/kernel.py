"""System calls missing from Python, through ctypes: numbers in, OSError out.

It knows the kernel's interface and leaves the policy to others. On any system but Linux every call raises OSError.
"""

import ctypes
import errno
import os
import platform
import sys
from functools import cache

from device.sandbox.syscalls import MACHINES, Machine

# <linux/sched.h>
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
# <linux/mount.h>
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_NOSUID = 2
MS_NODEV = 4
MNT_DETACH = 2
_AT_RECURSIVE = 0x8000
_AT_FDCWD = -100
# struct mount_attr: attr_set, attr_clr, propagation, userns_fd, each of 64 bits; MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID.
_READ_ONLY = 0x1
_NO_SET_USER_ID = 0x2
# <linux/prctl.h>
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAPBSET_DROP = 24
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
# <linux/capability.h>, version 3: two sets of 32 capabilities.
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    """struct sock_fprog, <linux/filter.h>."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@cache
def machine() -> Machine:
    """The numbers of this machine's architecture. Raises OSError for an unknown one, and outside Linux."""
    found = MACHINES.get((platform.machine(), ctypes.sizeof(ctypes.c_void_p) * 8))
    if sys.platform != "linux" or found is None:
        raise OSError(errno.ENOSYS, f"no system call numbers for {sys.platform} on {platform.machine()}")
    return found


def syscall(number: int, *arguments: object) -> int:
    """syscall(2). Numbers are passed as C longs, bytes and ctypes objects as pointers. Raises OSError."""
    passed = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return _checked(int(_libc.syscall(ctypes.c_long(number), *passed)))


def prctl(option: int, *arguments: int | object) -> int:
    """prctl(2), with the zeros it insists on in unused arguments. Raises OSError."""
    passed = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in arguments]
    passed += [ctypes.c_ulong(0)] * (4 - len(passed))
    return _checked(int(_libc.prctl(option, *passed)))


def unshare(flags: int) -> None:
    """unshare(2): give this process, of one thread, namespaces of its own. Raises OSError."""
    machine()
    _checked(int(_libc.unshare(flags)))


def setns(namespace: int, kind: int) -> None:
    """setns(2): take this process, of one thread, into the namespace with this descriptor. Raises OSError."""
    machine()
    _checked(int(_libc.setns(namespace, kind)))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2). Raises OSError."""
    strings = [each.encode() for each in (source, target, kind)]
    _checked(int(_libc.mount(*strings, ctypes.c_ulong(flags), options.encode() or None)), target)


def make_read_only(target: str) -> None:
    """Make this mount and all below it read-only and ignore set-user-id bits. Linux 5.12; raises OSError."""
    _set_attributes(target, _AT_RECURSIVE, _READ_ONLY | _NO_SET_USER_ID, 0)


def make_writable(target: str) -> None:
    """Take `make_read_only` back for this one mount. Linux 5.12; raises OSError."""
    _set_attributes(target, 0, 0, _READ_ONLY)


def _set_attributes(target: str, flags: int, set: int, clear: int) -> None:
    """mount_setattr(2)."""
    attributes = (ctypes.c_uint64 * 4)(set, clear, 0, 0)
    number = machine().offset + 442
    syscall(number, _AT_FDCWD, target.encode(), flags, attributes, ctypes.sizeof(attributes))


def enter_root(folder: str) -> None:
    """Make `folder`, a mount point, this process's root, and let go of the old one. Raises OSError."""
    os.chdir(folder)
    # The old root is stacked on the new one and taken away from there (pivot_root(2), "pivot_root(".", ".")").
    syscall(machine().pivot_root, b".", b".")
    _checked(int(_libc.umount2(b".", MNT_DETACH)))
    os.chdir("/")


def drop_capabilities() -> None:
    """Give up every capability, for good. Raises OSError."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            prctl(_PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:
                break
            raise
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _checked(int(_libc.capset(header, (ctypes.c_uint32 * 6)())))


def no_new_privileges() -> None:
    """Keep every program executed by this process from gaining privileges. Raises OSError."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def has_filters() -> bool:
    """Whether this kernel can judge system calls by a program (CONFIG_SECCOMP_FILTER).

    It looks for the program before it takes the lack of one for a fault (EFAULT), as seccomp(2) has it.
    """
    try:
        prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, 0)
    except OSError as error:
        return error.errno == errno.EFAULT
    return True


def install_filter(program: bytes) -> None:
    """Have the kernel judge every system call from now on by a BPF program. Needs no_new_privileges; raises OSError."""
    prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(_Program(len(program) // 8, program)))


def _checked(answer: int, path: str | None = None) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return answer
