"""The seccomp filter of a worker as BPF instructions: the allowed system calls, and an error for each other one.

Pure: it assembles, kernel.py installs. allowed.py lists the calls that pass, syscalls.py those judged by their
arguments. Any other fails with an error and the process lives on, so that a library may try something and continue.
"""

import errno
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from device.sandbox.allowed import ALLOWED, NEWEST
from device.sandbox.syscalls import (
    FORBIDDEN_CONTROLS,
    FORBIDDEN_REQUESTS,
    ON_ITSELF,
    ON_ITSELF_BY_KIND,
    PIDFD_SEND_SIGNAL,
    PR_SCHED_CORE,
    PR_SET_PDEATHSIG,
    SIGKILL,
    SIGNALS,
    X86_64,
    Machine,
)

# <linux/bpf_common.h>, <linux/seccomp.h>
_LOAD = 0x20
_AND = 0x54
_EQUAL = 0x15
_AT_LEAST = 0x35
_ANY_BIT = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_ERROR = 0x00050000
# struct seccomp_data: the number, the architecture, the instruction's place, six arguments of 64 bits.
_NUMBER = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16
# <linux/audit.h>: the mark of a little-endian architecture.
_LITTLE_ENDIAN = 0x40000000
_X32 = 0x40000000
# <linux/sched.h>: every namespace of clone.
_NAMESPACES = 0x7E020000
_CLONE3 = 435
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
# <linux/netlink.h>: the addresses and routes of the machine, to read.
_NETLINK_ROUTE = 0
_SOCK_STREAM, _SOCK_DGRAM, _SOCK_SEQPACKET = 1, 2, 5
# MIPS has them the other way round.
_SOCK_TYPES = (_SOCK_STREAM, _SOCK_DGRAM)
_SOCK_TYPE = 0xF
_MAP_TYPE = 0x0F
_MAP_SHARED = (1, 3)

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True)
class Grants:
    """The ways in which filters differ.

    `network` lets the Internet's sockets pass, except raw ones. `signals` lets signals pass: where a user of its own or
    Landlock keeps them in, a function may end its own child processes. `listening` lets listen(2) pass: where few
    connections wait to be accepted, for each keeps what was sent, and a file descriptor for none of them.
    """

    network: bool
    signals: bool
    listening: bool


def program(machine: Machine, grants: Grants, own: int) -> bytes:
    """The filter for this architecture and for the process `own`, which must leave all others alone."""
    return (
        _packed(list(_only_this(machine)))
        + _packed(list(_personal(machine, own, grants.signals)))
        + common(machine, grants)
    )


def _packed(instructions: list[Instruction]) -> bytes:
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


@cache
def common(machine: Machine, grants: Grants) -> bytes:
    """The common part of all workers' filters with these grants; made once, before they are forked."""
    instructions = [
        # Its arguments lie in memory, where a filter cannot look; without it the C library uses clone.
        *_fails(machine.offset + _CLONE3, errno.ENOSYS),
        *_when(machine.clone, _clone()),
        *_when(machine.socket, _socket(machine, grants.network)),
        *_when(machine.socketpair, [*_unless_unix(machine), _fail(errno.EACCES)]),
        *_when(machine.setsockopt, _setsockopt(machine)),
        *_when(machine.prctl, _prctl()),
        *_when(machine.ioctl, _all_but(FORBIDDEN_REQUESTS)),
        *(each for number in machine.control for each in _when(number, _all_but(FORBIDDEN_CONTROLS))),
        *(each for number in machine.sharing for each in _when(number, _mmap(machine))),
        *_search(_verdicts(machine, _allowed(machine, grants))),
    ]
    return _packed(instructions)


def _allowed(machine: Machine, grants: Grants) -> set[int]:
    tables = [ALLOWED, *([SIGNALS] if grants.signals else [])]
    listed = {numbers[machine.column] for table in tables for numbers in table.values()}
    pidfd = {machine.offset + PIDFD_SEND_SIGNAL} if grants.signals else set[int]()
    listen = {machine.listen} if grants.listening else set[int]()
    return {number for number in listed if number is not None} | pidfd | listen


def _verdicts(machine: Machine, allowed: set[int]) -> list[tuple[int, int]]:
    """The verdict on every number, as (first number, verdict) of each stretch of numbers with the same one."""
    edges = sorted({0, machine.offset + NEWEST + 1, *allowed, *(number + 1 for number in allowed)})
    forbidden = [_ERROR | (errno.EPERM if edge <= machine.offset + NEWEST else errno.ENOSYS) for edge in edges]
    verdicts = [_ALLOW if edge in allowed else refusal for edge, refusal in zip(edges, forbidden, strict=True)]
    return [
        each
        for place, each in enumerate(zip(edges, verdicts, strict=True))
        if not place or verdicts[place - 1] != each[1]
    ]


def _search(verdicts: list[tuple[int, int]]) -> list[Instruction]:
    """A binary search for the stretch that the number lies in; the list's first stretch begins at 0."""
    if len(verdicts) == 1:
        return [(_RETURN, 0, 0, verdicts[0][1])]
    middle = len(verdicts) // 2
    below, above = _search(verdicts[:middle]), _search(verdicts[middle:])
    return [(_AT_LEAST, len(below), 0, verdicts[middle][0]), *below, *above]


def _personal(machine: Machine, own: int, signals: bool) -> Iterator[Instruction]:
    """Calls about a process: only about this one."""
    for numbers in ON_ITSELF.values():
        yield from _when(numbers[machine.column], _itself(0, own))
    for kind, numbers in ON_ITSELF_BY_KIND.values():
        of_a_process = [_argument(0), (_EQUAL, 1, 0, kind), _fail(errno.EPERM)]
        yield from _when(numbers[machine.column], [*of_a_process, *_itself(1, own)])
    if not signals:
        for numbers in SIGNALS.values():
            yield from _when(numbers[machine.column], _itself(0, own))


def _itself(argument: int, own: int) -> list[Instruction]:
    """Pass when the argument is this process's id, or 0, which means it (for a signal: its group, which is its own)."""
    return [_argument(argument), *_passes(0), *_passes(own), _fail(errno.EPERM)]


def _only_this(machine: Machine) -> Iterator[Instruction]:
    """Refuse another architecture's system calls: this processor knows them too, under other numbers."""
    audit = machine.audit
    if sys.byteorder == "little":
        audit |= _LITTLE_ENDIAN
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_EQUAL, 1, 0, audit)
    yield _fail(errno.EPERM)
    yield (_LOAD, 0, 0, _NUMBER)
    if machine is X86_64:
        yield (_AT_LEAST, 0, 1, _X32)
        yield _fail(errno.EPERM)


def _fails(number: int, error: int) -> Iterator[Instruction]:
    yield (_EQUAL, 0, 1, number)
    yield _fail(error)


def _when(number: int, judgement: list[Instruction]) -> Iterator[Instruction]:
    """`judgement` decides about this system call, in any case."""
    yield (_EQUAL, 0, len(judgement), number)
    yield from judgement


def _clone() -> list[Instruction]:
    """Allow threads and processes; refuse namespaces."""
    return [_argument(0), (_ANY_BIT, 0, 1, _NAMESPACES), _fail(errno.EPERM), _allow()]


def _socket(machine: Machine, network: bool) -> list[Instruction]:
    """Allow Unix sockets.

    With the network also the Internet's streams and datagrams, and netlink's routes, the C library's source for its
    addresses.
    """
    local = _unless_unix(machine)
    if not network:
        return [*local, _fail(errno.EACCES)]
    routes = [_argument(2), *_passes(_NETLINK_ROUTE), _fail(errno.EACCES)]
    kinds = _types(_SOCK_TYPES)
    return [
        *local,
        *_when(_AF_NETLINK, routes),
        *_when(_AF_INET, kinds),
        (_EQUAL, 1, 0, _AF_INET6),
        _fail(errno.EACCES),
        *kinds,
    ]


def _unless_unix(machine: Machine) -> list[Instruction]:
    """Decide about Unix sockets, and load the family of others: datagrams wait unbounded, from senders long closed."""
    return [_argument(0), *_when(_AF_UNIX, _types((machine.stream, _SOCK_SEQPACKET)))]


def _types(passing: Iterable[int]) -> list[Instruction]:
    """Pass a socket of one of these types."""
    return [
        _argument(1),
        (_AND, 0, 0, _SOCK_TYPE),
        *(each for kind in passing for each in _passes(kind)),
        _fail(errno.EACCES),
    ]


def _setsockopt(machine: Machine) -> list[Instruction]:
    """Refuse more room for what was sent and not yet read: no limit counts it."""
    level, option = machine.send_buffer
    return [_argument(1), (_EQUAL, 1, 0, level), _allow(), _argument(2), *_fails(option, errno.EPERM), _allow()]


def _prctl() -> list[Instruction]:
    return [
        _argument(0),
        *_fails(PR_SCHED_CORE, errno.EPERM),
        (_EQUAL, 1, 0, PR_SET_PDEATHSIG),
        _allow(),
        _argument(1),
        *_passes(SIGKILL),
        _fail(errno.EPERM),
    ]


def _all_but(forbidden: Iterable[int]) -> list[Instruction]:
    """Pass unless the second argument, a command, is forbidden."""
    return [_argument(1), *(each for value in forbidden for each in _fails(value, errno.EPERM)), _allow()]


def _mmap(machine: Machine) -> list[Instruction]:
    """Refuse memory that escapes the limit of a process's private memory: shared without a file, or as a stack."""
    return [
        _argument(3),
        (_ANY_BIT, 0, 1, machine.downward),
        _fail(errno.ENOMEM),
        (_ANY_BIT, 1, 0, machine.anonymous),
        _allow(),
        (_AND, 0, 0, _MAP_TYPE),
        *(each for kind in _MAP_SHARED for each in _fails(kind, errno.ENOMEM)),
        _allow(),
    ]


def _passes(value: int) -> Iterator[Instruction]:
    yield (_EQUAL, 0, 1, value)
    yield _allow()


def _argument(index: int) -> Instruction:
    """Load the lower half of an argument; every judged argument is a C int or fits one."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index + (0 if sys.byteorder == "little" else 4))


def _allow() -> Instruction:
    return (_RETURN, 0, 0, _ALLOW)


def _fail(error: int) -> Instruction:
    return (_RETURN, 0, 0, _ERROR | error)
