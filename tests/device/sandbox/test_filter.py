"""The filter of every architecture, run by a small interpreter of BPF: what passes, what fails, and how."""

import errno
import struct
import sys

import pytest

from device.sandbox import filter
from device.sandbox.allowed import ALLOWED, NEWEST
from device.sandbox.filter import Grants
from device.sandbox.syscalls import (
    AARCH64,
    ARM,
    MACHINES,
    MIPS,
    ON_ITSELF,
    ON_ITSELF_BY_KIND,
    SIGNALS,
    X86_64,
)

MACHINE = {"x86-64": X86_64, "aarch64": AARCH64, "arm": ARM, "mips": MIPS}
EVERY = pytest.mark.parametrize("machine", MACHINE.values(), ids=MACHINE)
PASSES = 0
CLONE3 = 435
LITTLE = 0x40000000 if sys.byteorder == "little" else 0
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK = 1, 2, 10, 16, 17, 38, 40
STREAM, RAW, SEQPACKET, CLOEXEC = 1, 3, 5, 0o2000000


OWN, OTHER = 4711, 4712


def judge(machine, number, *arguments, network=False, audit=None, signals=True, listening=False):
    """0 when the call passes, otherwise its errno. Interprets what <linux/bpf_common.h> defines and the filter uses."""
    audit = machine.audit | LITTLE if audit is None else audit
    data = struct.pack("=IIQ6Q", number, audit, 0, *(*arguments, *[0] * (6 - len(arguments))))
    program = [*struct.iter_unpack("=HBBI", filter.program(machine, Grants(network, signals, listening), OWN))]
    place = accumulator = 0
    while True:
        code, yes, no, k = program[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, k)
        elif code == 0x54:
            accumulator &= k
        elif code == 0x06:
            return PASSES if k == 0x7FFF0000 else k & 0xFFFF
        else:
            holds = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}[code]
            place += yes if holds else no


def decided_by_arguments(machine):
    """The numbers of the calls judged by their arguments."""
    tables = (ON_ITSELF, SIGNALS, {name: numbers for name, (_, numbers) in ON_ITSELF_BY_KIND.items()})
    judged = {numbers[machine.column] for table in tables for numbers in table.values()}
    own = {machine.clone, machine.prctl, machine.ioctl, machine.offset + CLONE3}
    sockets = {machine.socket, machine.socketpair, machine.setsockopt, machine.listen}
    return judged | own | sockets | {*machine.sharing, *machine.control}


@EVERY
def test_a_number_passes_when_it_is_on_the_list_and_any_other_fails(machine):
    listed = {numbers[machine.column] for numbers in ALLOWED.values()}
    every = {*range(5200), *range(0xF0000, 0xF0010)} - decided_by_arguments(machine)
    newer = {number for number in every if number > machine.offset + NEWEST}
    expected = {each: PASSES if each in listed else errno.ENOSYS if each in newer else errno.EPERM for each in every}
    assert {number: judge(machine, number, signals=False) for number in every} == expected


@EVERY
def test_no_call_is_both_on_the_list_and_judged(machine):
    assert decided_by_arguments(machine).isdisjoint(numbers[machine.column] for numbers in ALLOWED.values())


FOREIGN = """
    acct add_key adjtimex bpf capset chroot clock_adjtime clock_settime delete_module fanotify_init finit_module
    fsopen init_module inotify_init inotify_init1 io_setup io_uring_setup ioperm iopl ipc kcmp kexec_load keyctl
    landlock_create_ruleset memfd_create memfd_secret migrate_pages modify_ldt mount move_mount move_pages mq_open
    msgget name_to_handle_at open_by_handle_at open_tree perf_event_open personality pidfd_getfd pidfd_send_signal
    pivot_root process_madvise process_mrelease process_vm_readv process_vm_writev ptrace quotactl reboot
    request_key semctl semget semop setdomainname setgroups sethostname setns setpgid setresuid setsid settimeofday
    setuid shmat shmget socketcall stime swapon sync syscall syslog umount2 unshare uselib userfaultfd vhangup vm86
    vmsplice
"""


def test_the_list_has_no_call_that_reaches_beyond_the_worker():
    assert set(FOREIGN.split()).isdisjoint(ALLOWED)


@EVERY
@pytest.mark.parametrize("high", [0, 1 << 32])
def test_calls_about_a_process_pass_for_this_one_only(machine, high):
    for numbers in ON_ITSELF.values():
        number = numbers[machine.column]
        assert [judge(machine, number, pid) for pid in (0, OWN)] == [PASSES, PASSES]
        assert [judge(machine, number, pid | high) for pid in (OTHER, 1, -1 & 0xFFFFFFFF)] == [errno.EPERM] * 3
    for kind, numbers in ON_ITSELF_BY_KIND.values():
        number = numbers[machine.column]
        assert [judge(machine, number, kind, pid) for pid in (0, OWN)] == [PASSES, PASSES]
        assert judge(machine, number, kind, OTHER | high) == errno.EPERM
        # A group of processes, or all of a user.
        assert [judge(machine, number, other, 0) for other in range(4) if other != kind] == [errno.EPERM] * 3


@EVERY
def test_signals_pass_where_something_else_keeps_them_in_and_else_to_itself_only(machine):
    for numbers in SIGNALS.values():
        number = numbers[machine.column]
        assert judge(machine, number, OTHER) == PASSES
        assert judge(machine, number, OWN, signals=False) == PASSES
        for other in (OTHER, 1, -1 & 0xFFFFFFFF, -OWN & 0xFFFFFFFF):
            assert judge(machine, number, other, signals=False) == errno.EPERM
    assert judge(machine, machine.offset + 424, 3, signals=False) == errno.EPERM
    assert judge(machine, machine.offset + 424, 3) == PASSES


@EVERY
def test_listening_passes_where_few_connections_wait(machine):
    assert [judge(machine, machine.listen, 3, 9, listening=few) for few in (True, False)] == [PASSES, errno.EPERM]


@EVERY
@pytest.mark.parametrize("network", [False, True])
def test_a_unix_socket_is_no_datagrams_and_no_socket_sends_more_ahead(machine, network):
    datagrams = 3 - machine.stream
    for number in (machine.socket, machine.socketpair):
        kinds = [machine.stream, machine.stream | CLOEXEC, SEQPACKET]
        assert [judge(machine, number, AF_UNIX, kind, network=network) for kind in kinds] == [PASSES] * 3
        for kind in (datagrams, datagrams | CLOEXEC, RAW):
            assert judge(machine, number, AF_UNIX, kind, network=network) == errno.EACCES
    level, send_buffer = machine.send_buffer
    assert judge(machine, machine.setsockopt, 3, level, send_buffer, network=network) == errno.EPERM
    # SO_REUSEADDR; TCP_NODELAY, and an option of TCP with the number of SO_SNDBUF.
    others = [(level, 2), (level, 4), (6, 1), (6, send_buffer)]
    assert [judge(machine, machine.setsockopt, 3, *each, network=network) for each in others] == [PASSES] * 4


@EVERY
def test_no_file_or_pipe_may_send_signals_to_an_owner_and_no_pipe_may_grow(machine):
    owner = 24 if machine is MIPS else 8
    for number in machine.control:
        assert [judge(machine, number, 3, command) for command in (owner, 15, 1031)] == [errno.EPERM] * 3
        # F_GETFL, F_SETFL, F_SETLK, F_SETSIG, F_DUPFD_CLOEXEC
        assert [judge(machine, number, 3, command) for command in (3, 4, 6, 10, 1030)] == [PASSES] * 5
    owners = (0x8004667C, 0x80047308, 0x5472) if machine is MIPS else (0x8901, 0x8902, 0x5412)
    assert [judge(machine, machine.ioctl, 3, request) for request in owners] == [errno.EPERM] * 3
    # I2C_RDWR, GPIO_V2_GET_LINE_IOCTL
    assert [judge(machine, machine.ioctl, 3, request) for request in (0x0707, 0xC250B407)] == [PASSES] * 2


@EVERY
def test_a_worker_cannot_outlive_its_zygote_and_ties_no_other_to_its_processor(machine):
    assert [judge(machine, machine.prctl, 1, signal) for signal in (0, 9, 15, 28)] == [1, PASSES, 1, 1]
    assert judge(machine, machine.prctl, 62, 1, OTHER) == errno.EPERM
    # PR_SET_NAME, PR_SET_NO_NEW_PRIVS
    assert [judge(machine, machine.prctl, option) for option in (15, 38)] == [PASSES] * 2


@EVERY
def test_another_architectures_calls_fail(machine):
    others = [each.audit | LITTLE for each in MACHINE.values() if each is not machine]
    assert [judge(machine, 0, audit=audit) for audit in others] == [errno.EPERM] * 3


def test_the_second_table_of_x86_64_fails():
    assert judge(X86_64, 0x40000000 + 101) == errno.EPERM


@EVERY
def test_threads_and_processes_pass_and_namespaces_fail(machine):
    thread = 0x003D0F00
    assert judge(machine, machine.clone, thread) == judge(machine, machine.clone, 17) == PASSES
    for namespace in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert judge(machine, machine.clone, 17 | namespace) == errno.EPERM
    assert judge(machine, machine.offset + 435) == errno.ENOSYS


@EVERY
def test_without_the_network_only_unix_sockets_pass(machine):
    passed = [family for family in range(64) if judge(machine, machine.socket, family, machine.stream) == PASSES]
    assert passed == [AF_UNIX]
    pairs = [family for family in range(64) if judge(machine, machine.socketpair, family, machine.stream) == PASSES]
    assert pairs == [AF_UNIX]


@EVERY
def test_with_the_network_the_internets_sockets_pass_but_no_raw_ones(machine):
    families = [
        f for f in range(64) if judge(machine, machine.socket, f, machine.stream | CLOEXEC, network=True) == PASSES
    ]
    assert families == [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK]
    assert judge(machine, machine.socket, AF_INET, RAW | CLOEXEC, network=True) == errno.EACCES
    assert judge(machine, machine.socket, AF_INET6, RAW, network=True) == errno.EACCES
    route, netfilter = 0, 12
    assert judge(machine, machine.socket, AF_NETLINK, RAW, route, network=True) == PASSES
    assert judge(machine, machine.socket, AF_NETLINK, RAW, netfilter, network=True) == errno.EACCES
    seqpacket, dccp = 5, 6
    for kind in (seqpacket, dccp):
        assert judge(machine, machine.socket, AF_INET, kind, network=True) == errno.EACCES


@EVERY
def test_memory_shared_without_a_file_or_as_a_stack_fails_and_other_mappings_pass(machine):
    shared, private, validated = 1, 2, 3
    for number in machine.sharing:
        assert judge(machine, number, 0, 4096, 3, shared | machine.anonymous) == errno.ENOMEM
        assert judge(machine, number, 0, 4096, 3, validated | machine.anonymous) == errno.ENOMEM
        assert judge(machine, number, 0, 4096, 3, private | machine.anonymous | machine.downward) == errno.ENOMEM
        assert judge(machine, number, 0, 4096, 3, private | machine.downward) == errno.ENOMEM
        assert judge(machine, number, 0, 4096, 3, private | machine.anonymous) == PASSES
        assert judge(machine, number, 0, 4096, 3, shared) == PASSES


def test_a_high_half_of_an_argument_does_not_hide_the_low_one():
    assert judge(X86_64, X86_64.socket, AF_INET | 1 << 32, STREAM) == errno.EACCES


def test_every_way_a_board_names_its_processor_has_numbers():
    assert {name for name, _ in MACHINES} >= {"x86_64", "aarch64", "armv6l", "armv7l", "mips"}
