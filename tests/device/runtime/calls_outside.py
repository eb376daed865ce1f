"""The numbers of the system calls that the filter of this machine lets nobody make, for tests that try every one."""

from device.sandbox import kernel
from device.sandbox.allowed import ALLOWED
from device.sandbox.syscalls import ON_ITSELF, ON_ITSELF_BY_KIND, SIGNALS, X86_64

CLONE3 = 435


def numbers() -> list[int]:
    """Of the first 1,024, all but those on the list and those judged by their arguments or by the machine."""
    machine = kernel.machine()
    by_kind = {name: each for name, (_, each) in ON_ITSELF_BY_KIND.items()}
    tables = (ALLOWED, ON_ITSELF, by_kind, SIGNALS)
    passing = {each[machine.column] for table in tables for each in table.values()}
    passing |= {machine.clone, machine.prctl, machine.ioctl}
    passing |= {machine.socket, machine.socketpair, machine.setsockopt, machine.listen}
    passing |= {*machine.sharing, *machine.control, machine.offset + 424}
    # uretprobe and uprobe of x86-64: the kernel lets no filter see them, and ends a process that calls them itself.
    passing |= {335, 336} if machine is X86_64 else set()
    return [number for number in range(machine.offset, machine.offset + 1024) if number not in passing]
