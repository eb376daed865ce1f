"""The filter of every architecture, run by a small interpreter of BPF: what passes, what fails, and how."""

import errno
import struct
import sys

import pytest

from device.runtime.confinement import filter
from device.runtime.confinement.syscalls import (
    AARCH64,
    ARM,
    DENIED,
    MACHINES,
    MIPS,
    ON_ITSELF,
    ON_ITSELF_BY_KIND,
    SIGNALS,
    X86_64,
)

MACHINE = {"x86-64": X86_64, "aarch64": AARCH64, "arm": ARM, "mips": MIPS}
EVERY = pytest.mark.parametrize("machine", MACHINE.values(), ids=MACHINE)
ALLOWED = 0
LITTLE = 0x40000000 if sys.byteorder == "little" else 0
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK = 1, 2, 10, 16, 17, 38, 40
STREAM, RAW, CLOEXEC = 1, 3, 0o2000000


OWN, OTHER = 4711, 4712


def judge(machine, number, *arguments, network=False, audit=None, signals=True):
    """0 when the call passes, otherwise its errno. Interprets what <linux/bpf_common.h> defines and the filter uses."""
    audit = machine.audit | LITTLE if audit is None else audit
    data = struct.pack("=IIQ6Q", number, audit, 0, *(*arguments, *[0] * (6 - len(arguments))))
    program = [*struct.iter_unpack("=HBBI", filter.program(machine, network, OWN, signals))]
    place = accumulator = 0
    while True:
        code, yes, no, k = program[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, k)
        elif code == 0x54:
            accumulator &= k
        elif code == 0x06:
            return ALLOWED if k == 0x7FFF0000 else k & 0xFFFF
        else:
            holds = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}[code]
            place += yes if holds else no


@EVERY
def test_each_denied_call_fails_on_each_architecture(machine):
    numbers = {name: each[machine.column] for name, each in DENIED.items() if each[machine.column] is not None}
    assert {name: judge(machine, number) for name, number in numbers.items()} == dict.fromkeys(numbers, errno.EPERM)
    assert {
        "semget",
        "msgget",
        "mq_open",
        "ptrace",
        "mount",
        "bpf",
        "reboot",
        "io_uring_setup",
        "memfd_create",
        "clock_settime",
    } <= set(numbers)


@EVERY
def test_other_calls_pass(machine):
    denied = {each[machine.column] for each in DENIED.values()}
    # Without a filter's pid they are about this process, and pass; but for one whose kind is no process.
    denied |= {ON_ITSELF_BY_KIND["ioprio_set"][1][machine.column]}
    special = {machine.clone, machine.socket, machine.offset + 435, *machine.sharing}
    numbers = set(range(machine.offset, machine.offset + 460)) - denied - special
    assert {number: judge(machine, number) for number in numbers} == dict.fromkeys(numbers, ALLOWED)


@EVERY
@pytest.mark.parametrize("high", [0, 1 << 32])
def test_calls_about_a_process_pass_for_this_one_only(machine, high):
    for numbers in ON_ITSELF.values():
        number = numbers[machine.column]
        assert [judge(machine, number, pid) for pid in (0, OWN)] == [ALLOWED, ALLOWED]
        assert [judge(machine, number, pid | high) for pid in (OTHER, 1, -1 & 0xFFFFFFFF)] == [errno.EPERM] * 3
    for kind, numbers in ON_ITSELF_BY_KIND.values():
        number = numbers[machine.column]
        assert [judge(machine, number, kind, pid) for pid in (0, OWN)] == [ALLOWED, ALLOWED]
        assert judge(machine, number, kind, OTHER | high) == errno.EPERM
        # A group of processes, or all of a user.
        assert [judge(machine, number, other, 0) for other in range(4) if other != kind] == [errno.EPERM] * 3


@EVERY
def test_signals_pass_where_something_else_keeps_them_in_and_else_to_itself_only(machine):
    for numbers in SIGNALS.values():
        number = numbers[machine.column]
        assert judge(machine, number, OTHER) == ALLOWED
        assert judge(machine, number, OWN, signals=False) == ALLOWED
        for other in (OTHER, 1, -1 & 0xFFFFFFFF, -OWN & 0xFFFFFFFF):
            assert judge(machine, number, other, signals=False) == errno.EPERM
    assert judge(machine, machine.offset + 424, 3, signals=False) == errno.EPERM


@EVERY
def test_another_architectures_calls_fail(machine):
    others = [each.audit | LITTLE for each in MACHINE.values() if each is not machine]
    assert [judge(machine, 0, audit=audit) for audit in others] == [errno.EPERM] * 3


def test_the_second_table_of_x86_64_fails():
    assert judge(X86_64, 0x40000000 + 101) == errno.EPERM


@EVERY
def test_threads_and_processes_pass_and_namespaces_fail(machine):
    thread = 0x003D0F00
    assert judge(machine, machine.clone, thread) == judge(machine, machine.clone, 17) == ALLOWED
    for namespace in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert judge(machine, machine.clone, 17 | namespace) == errno.EPERM
    assert judge(machine, machine.offset + 435) == errno.ENOSYS


@EVERY
def test_without_the_network_only_unix_sockets_pass(machine):
    passed = [family for family in range(64) if judge(machine, machine.socket, family, STREAM) == ALLOWED]
    assert passed == [AF_UNIX]


@EVERY
def test_with_the_network_the_internets_sockets_pass_but_no_raw_ones(machine):
    families = [f for f in range(64) if judge(machine, machine.socket, f, STREAM | CLOEXEC, network=True) == ALLOWED]
    assert families == [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK]
    assert judge(machine, machine.socket, AF_INET, RAW | CLOEXEC, network=True) == errno.EACCES
    assert judge(machine, machine.socket, AF_INET6, RAW, network=True) == errno.EACCES
    assert judge(machine, machine.socket, AF_NETLINK, RAW, network=True) == ALLOWED


@EVERY
def test_memory_shared_without_a_file_fails_and_other_mappings_pass(machine):
    shared, private, validated = 1, 2, 3
    for number in machine.sharing:
        assert judge(machine, number, 0, 4096, 3, shared | machine.anonymous) == errno.ENOMEM
        assert judge(machine, number, 0, 4096, 3, validated | machine.anonymous) == errno.ENOMEM
        assert judge(machine, number, 0, 4096, 3, private | machine.anonymous) == ALLOWED
        assert judge(machine, number, 0, 4096, 3, shared) == ALLOWED


def test_a_high_half_of_an_argument_does_not_hide_the_low_one():
    assert judge(X86_64, X86_64.socket, AF_INET | 1 << 32, STREAM) == errno.EACCES


def test_every_way_a_board_names_its_processor_has_numbers():
    assert {name for name, _ in MACHINES} >= {"x86_64", "aarch64", "armv6l", "armv7l", "mips"}
