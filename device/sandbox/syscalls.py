"""The system calls of a worker judged by their arguments, and what seccomp knows of each architecture. Data only.

The calls that always pass are in allowed.py. Numbers are the kernel's (arch/x86/entry/syscalls/syscall_64.tbl,
include/uapi/asm-generic/unistd.h, arch/arm/tools/syscall.tbl, arch/mips/kernel/syscalls/syscall_o32.tbl), taken from
libseccomp 2.5.4's tables and Debian's linux-libc-dev of Linux 6.1. Since Linux 5.1 a new system call has one number on
all of them, on MIPS with 4000 added.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """One architecture as seccomp knows it.

    `column` is its place in the tables; `audit` its AUDIT_ARCH (<linux/audit.h>; MIPS is added to for a little-endian
    one); `offset` is added to the numbers common to all; `anonymous` and `downward` are mmap's MAP_ANONYMOUS and
    MAP_GROWSDOWN, `stream` is SOCK_STREAM, and `send_buffer` SOL_SOCKET with its SO_SNDBUF. `sharing` and `control` are
    the numbers of mmap and fcntl.
    """

    column: int
    audit: int
    offset: int
    clone: int
    socket: int
    socketpair: int
    setsockopt: int
    listen: int
    pivot_root: int
    prctl: int
    ioctl: int
    anonymous: int
    downward: int
    stream: int
    send_buffer: tuple[int, int]
    sharing: tuple[int, ...]
    control: tuple[int, ...]


X86_64 = Machine(
    column=0,
    audit=0xC000003E,
    offset=0,
    clone=56,
    socket=41,
    socketpair=53,
    setsockopt=54,
    listen=50,
    pivot_root=155,
    prctl=157,
    ioctl=16,
    anonymous=0x20,
    downward=0x100,
    stream=1,
    send_buffer=(1, 7),
    sharing=(9,),
    control=(72,),
)
AARCH64 = Machine(
    column=1,
    audit=0xC00000B7,
    offset=0,
    clone=220,
    socket=198,
    socketpair=199,
    setsockopt=208,
    listen=201,
    pivot_root=41,
    prctl=167,
    ioctl=29,
    anonymous=0x20,
    downward=0x100,
    stream=1,
    send_buffer=(1, 7),
    sharing=(222,),
    control=(25,),
)
ARM = Machine(
    column=2,
    audit=0x40000028,
    offset=0,
    clone=120,
    socket=281,
    socketpair=288,
    setsockopt=294,
    listen=284,
    pivot_root=218,
    prctl=172,
    ioctl=54,
    anonymous=0x20,
    downward=0x100,
    stream=1,
    send_buffer=(1, 7),
    sharing=(192,),
    control=(55, 221),
)
MIPS = Machine(
    column=3,
    audit=0x00000008,
    offset=4000,
    clone=4120,
    socket=4183,
    socketpair=4184,
    setsockopt=4181,
    listen=4174,
    pivot_root=4216,
    prctl=4192,
    ioctl=4054,
    anonymous=0x800,
    downward=0x1000,
    stream=2,
    send_buffer=(0xFFFF, 0x1001),
    sharing=(4090, 4210),
    control=(4055, 4220),
)

# By uname(2)'s name of the machine, and the bits of a pointer: a 32-bit Python may run on a 64-bit kernel.
MACHINES = {
    ("x86_64", 64): X86_64,
    ("aarch64", 64): AARCH64,
    ("aarch64", 32): ARM,
    ("armv6l", 32): ARM,
    ("armv7l", 32): ARM,
    ("armv8l", 32): ARM,
    ("mips", 32): MIPS,
}

# Allowed on the process itself only, by its first argument, a process id where 0 is "this one": limits, and the
# process's standing when the kernel hands out the processor. The limits of the agent are its life.
ON_ITSELF: dict[str, tuple[int, int, int, int]] = {
    "get_robust_list": (274, 100, 339, 4310),
    "prlimit64": (302, 261, 369, 4338),
    "sched_setaffinity": (203, 122, 241, 4239),
    "sched_setattr": (314, 274, 380, 4349),
    "sched_setparam": (142, 118, 154, 4158),
    "sched_setscheduler": (144, 119, 156, 4160),
}

# The same, for calls whose first argument declares the second a process id (<linux/resource.h>, <linux/ioprio.h>).
ON_ITSELF_BY_KIND: dict[str, tuple[int, tuple[int, int, int, int]]] = {
    "ioprio_set": (1, (251, 30, 314, 4314)),
    "setpriority": (0, (141, 140, 97, 4097)),
}

# Signals, by the process id in the first argument. They are judged where nothing else keeps them in.
SIGNALS: dict[str, tuple[int, int, int, int]] = {
    "kill": (62, 129, 37, 4037),
    "rt_sigqueueinfo": (129, 138, 178, 4198),
    "rt_tgsigqueueinfo": (297, 240, 363, 4332),
    "tgkill": (234, 131, 268, 4266),
    "tkill": (200, 130, 238, 4236),
}
# By a file descriptor of a process: a filter is unable to follow it.
PIDFD_SEND_SIGNAL = 424

# Commands of fcntl(2) that fail. Setting an owner has the kernel send signals to any process of the same user
# (F_SETOWN, and its number on MIPS; F_SETOWN_EX); a larger pipe is memory that no limit counts (F_SETPIPE_SZ).
FORBIDDEN_CONTROLS = (8, 24, 15, 1031)
# The same of ioctl(2): FIOSETOWN and SIOCSPGRP, and on MIPS. TIOCSTI and TIOCLINUX type into a terminal, TIOCSTI on
# MIPS too.
FORBIDDEN_REQUESTS = (0x8901, 0x8902, 0x8004667C, 0x80047308, 0x5412, 0x541C, 0x5472)
# Of prctl(2): PR_SCHED_CORE ties another process to this one's processor. PR_SET_PDEATHSIG passes with SIGKILL only:
# the worker ends with its zygote, and so does a child made to end with the worker.
PR_SCHED_CORE = 62
PR_SET_PDEATHSIG = 1
SIGKILL = 9
