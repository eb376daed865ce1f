"""The system calls denied to a worker, with their numbers on each architecture. Data only.

Numbers are the kernel's (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h,
arch/arm/tools/syscall.tbl, arch/mips/kernel/syscalls/syscall_o32.tbl), taken from libseccomp 2.5.4's tables and
Debian's linux-libc-dev of Linux 6.1. Since Linux 5.1 a new system call has one number on all of them, on MIPS with 4000
added.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """One architecture as seccomp knows it.

    `column` is its place in DENIED; `audit` its AUDIT_ARCH (<linux/audit.h>; MIPS is added to for a little-endian one);
    `offset` is added to the numbers common to all; `anonymous` is mmap's MAP_ANONYMOUS; `sharing` are the numbers of
    mmap.
    """

    column: int
    audit: int
    offset: int
    clone: int
    socket: int
    pivot_root: int
    anonymous: int
    sharing: tuple[int, ...]


X86_64 = Machine(0, 0xC000003E, 0, clone=56, socket=41, pivot_root=155, anonymous=0x20, sharing=(9,))
AARCH64 = Machine(1, 0xC00000B7, 0, clone=220, socket=198, pivot_root=41, anonymous=0x20, sharing=(222,))
ARM = Machine(2, 0x40000028, 0, clone=120, socket=281, pivot_root=218, anonymous=0x20, sharing=(192,))
MIPS = Machine(3, 0x00000008, 4000, clone=4120, socket=4183, pivot_root=4216, anonymous=0x800, sharing=(4090, 4210))

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

# Without a number where the architecture does not have it: x86-64, aarch64, arm, mips (o32).
DENIED: dict[str, tuple[int | None, int | None, int | None, int | None]] = {
    # Looking into, or changing, another process.
    "kcmp": (312, 272, 378, 4347),
    "migrate_pages": (256, 238, 400, 4287),
    "move_pages": (279, 239, 344, 4308),
    "pidfd_getfd": (438, 438, 438, 4438),
    "process_madvise": (440, 440, 440, 4440),
    "process_mrelease": (448, 448, 448, 4448),
    "process_vm_readv": (310, 270, 376, 4345),
    "process_vm_writev": (311, 271, 377, 4346),
    "ptrace": (101, 117, 26, 4026),
    # Mounts, roots and namespaces.
    "chroot": (161, 51, 61, 4061),
    "fsconfig": (431, 431, 431, 4431),
    "fsmount": (432, 432, 432, 4432),
    "fsopen": (430, 430, 430, 4430),
    "fspick": (433, 433, 433, 4433),
    "mount": (165, 40, 21, 4021),
    "mount_setattr": (442, 442, 442, 4442),
    "move_mount": (429, 429, 429, 4429),
    "open_tree": (428, 428, 428, 4428),
    "pivot_root": (155, 41, 218, 4216),
    "setns": (308, 268, 375, 4344),
    "umount": (None, None, None, 4022),
    "umount2": (166, 39, 52, 4052),
    "unshare": (272, 97, 337, 4303),
    # Files by handle, past every path.
    "fanotify_init": (300, 262, 367, 4336),
    "name_to_handle_at": (303, 264, 370, 4339),
    "open_by_handle_at": (304, 265, 371, 4340),
    # The kernel's code and the machine.
    "bpf": (321, 280, 386, 4355),
    "create_module": (174, None, None, 4127),
    "delete_module": (176, 106, 129, 4129),
    "finit_module": (313, 273, 379, 4348),
    "get_kernel_syms": (177, None, None, 4130),
    "init_module": (175, 105, 128, 4128),
    "ioperm": (173, None, None, 4101),
    "iopl": (172, None, None, 4110),
    "kexec_file_load": (320, 294, 401, None),
    "kexec_load": (246, 104, 347, 4311),
    "query_module": (178, None, None, 4187),
    "reboot": (169, 142, 88, 4088),
    # The machine's settings.
    "_sysctl": (156, None, 149, 4153),
    "acct": (163, 89, 51, 4051),
    "nfsservctl": (180, 42, 169, 4189),
    "quotactl": (179, 60, 131, 4131),
    "quotactl_fd": (443, 443, 443, 4443),
    "setdomainname": (171, 162, 121, 4121),
    "sethostname": (170, 161, 74, 4074),
    "swapoff": (168, 225, 115, 4115),
    "swapon": (167, 224, 87, 4087),
    "sysfs": (139, None, 135, 4135),
    "syslog": (103, 116, 103, 4103),
    "vhangup": (153, 58, 111, 4111),
    # Clocks.
    "adjtimex": (159, 171, 124, 4124),
    "clock_adjtime": (305, 266, 372, 4341),
    "clock_adjtime64": (None, None, 405, 4405),
    "clock_settime": (227, 112, 262, 4262),
    "clock_settime64": (None, None, 404, 4404),
    "settimeofday": (164, 170, 79, 4079),
    "stime": (None, None, None, 4025),
    # Keys of the kernel's key ring.
    "add_key": (248, 217, 309, 4280),
    "keyctl": (250, 219, 311, 4282),
    "request_key": (249, 218, 310, 4281),
    # Interfaces with a history of faults in the kernel.
    "bdflush": (None, None, 134, 4134),
    "io_uring_enter": (426, 426, 426, 4426),
    "io_uring_register": (427, 427, 427, 4427),
    "io_uring_setup": (425, 425, 425, 4425),
    "lookup_dcookie": (212, 18, 249, 4247),
    "modify_ldt": (154, None, None, 4123),
    "perf_event_open": (298, 241, 364, 4333),
    "uselib": (134, None, 86, 4086),
    "userfaultfd": (323, 282, 388, 4357),
    "vm86": (None, None, None, 4113),
    # Memory outside every limit of a process: shared memory, semaphores and queues of the whole machine. They also
    # outlive their makers.
    "ipc": (None, None, None, 4117),
    "memfd_create": (319, 279, 385, 4354),
    "memfd_secret": (447, 447, None, None),
    "mq_open": (240, 180, 274, 4271),
    "mq_unlink": (241, 181, 275, 4272),
    "msgctl": (71, 187, 304, 4402),
    "msgget": (68, 186, 303, 4399),
    "msgrcv": (70, 188, 302, 4401),
    "msgsnd": (69, 189, 301, 4400),
    "semctl": (66, 191, 300, 4394),
    "semget": (64, 190, 299, 4393),
    "semop": (65, 193, 298, None),
    "semtimedop": (220, 192, 312, None),
    "semtimedop_time64": (None, None, 420, 4420),
    "shmat": (30, 196, 305, 4397),
    "shmctl": (31, 195, 308, 4396),
    "shmdt": (67, 197, 306, 4398),
    "shmget": (29, 194, 307, 4395),
    # Leaving the process group: by this group everything started by a function is ended.
    "setpgid": (109, 154, 57, 4057),
    "setsid": (112, 157, 66, 4066),
    # Sockets, where `socket` itself is not judged.
    "socketcall": (None, None, None, 4102),
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
