"""Every way out that is known, tried from inside: as root and as an ordinary user, with each mechanism taken away.

Each escape names the mechanisms of which one is enough. Where such a one is there, the escape is tried, and must fail.
Elsewhere it is left alone: it would stop, slow or end the processes of whoever runs the tests.
"""

import ctypes
import fcntl
import mmap
import os
import resource
import select
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest
from confined import NOBODY, inside, owned

from device.die_with_parent import die_with_parent
from device.private_memory import keep_memory_private
from device.runtime.confinement import probe
from device.runtime.confinement.mechanisms import Mechanisms
from device.sandbox import kernel, landlock
from tests.device.users.serving import SERVICE_USER, served

# <linux/prctl.h>, <linux/ptrace.h>, <linux/ioprio.h>
PR_SET_PDEATHSIG = 1
PR_SCHED_CORE = 62
PTRACE_SEIZE = 0x4206
IDLE = 3 << 13
LANDLOCK_CREATE_RULESET = 4444 if "mips" in os.uname().machine else 444
# <linux/mman.h>
PRIVATE = 2
DOWNWARD = 0x1000 if "mips" in os.uname().machine else 0x100
FIOSETOWN = 0x8004667C if "mips" in os.uname().machine else 0x8901

libc = ctypes.CDLL(None, use_errno=True)


def c(result):
    """The result of a C function; raises OSError for -1."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


@dataclass(frozen=True)
class Escape:
    """A way out, tried on the process `victim` and the file `secret`; `held` tells if these mechanisms close it."""

    name: str
    attempt: Callable[[int, Path], object]
    held: Callable[[Mechanisms], object]


def by_filter(has):
    return has.filter


def by_user_or_filter(has):
    return has.user or has.filter


def by_signals(has):
    return has.user or has.filter or has.landlock >= landlock.SCOPES_SINCE


def by_files(has):
    return has.view or has.landlock


def always(_):
    """The agent and its kin are not dumpable, and a worker has no capability."""
    return True


def write_memory(victim, _):
    with Path(f"/proc/{victim}/mem").open("r+b"):
        pass


def call_into(victim, _):
    buffer = (ctypes.c_char * 8)()
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    c(libc.process_vm_writev(victim, vector, 1, vector, 1, 0))


def let_wait(*_):
    """Connect again and again to a socket that accepts nobody; each connection keeps what was sent, once closed."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("")
    listener.listen(100)
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as each:
            each.setblocking(False)
            each.connect(listener.getsockname())
            each.send(b"x")


def map_zeros(*_):
    with Path("/dev/zero").open("r+b") as zeros:
        mmap.mmap(zeros.fileno(), 4096)


ESCAPES = [
    Escape("SIGSTOP", lambda victim, _: os.kill(victim, signal.SIGSTOP), by_signals),
    Escape("a signal by pidfd", lambda v, _: signal.pidfd_send_signal(os.pidfd_open(v), signal.SIGSTOP), by_signals),
    Escape("SIGIO from a pipe", lambda v, _: fcntl.fcntl(os.pipe()[1], fcntl.F_SETOWN, v), by_filter),
    Escape(
        "SIGURG from a socket",
        lambda v, _: fcntl.ioctl(socket.socketpair()[0], FIOSETOWN, ctypes.c_int(v)),
        by_filter,
    ),
    Escape("its limits", lambda v, _: resource.prlimit(v, resource.RLIMIT_CPU, (0, 0)), by_user_or_filter),
    Escape("its niceness", lambda v, _: os.setpriority(os.PRIO_PROCESS, v, 19), by_user_or_filter),
    Escape("its user's niceness", lambda *_: os.setpriority(os.PRIO_USER, os.getuid(), 19), by_filter),
    Escape("its processors", lambda v, _: os.sched_setaffinity(v, os.sched_getaffinity(0)), by_user_or_filter),
    Escape("its scheduler", lambda v, _: os.sched_setscheduler(v, os.SCHED_IDLE, os.sched_param(0)), by_user_or_filter),
    Escape("its turn at the disk", lambda v, _: c(libc.syscall(IOPRIO_SET, 1, v, IDLE)), by_user_or_filter),
    Escape("its processor", lambda v, _: kernel.prctl(PR_SCHED_CORE, 1, v, 0), always),
    Escape("its memory by ptrace", lambda v, _: c(libc.ptrace(PTRACE_SEIZE, v, None, None)), always),
    Escape("its memory by /proc", write_memory, always),
    Escape("its memory by a call", call_into, always),
    Escape("its environment", lambda v, _: Path(f"/proc/{v}/environ").read_bytes(), always),
    Escape("its files", lambda v, _: os.open(f"/proc/{v}/fd/0", os.O_RDONLY), always),
    Escape(
        "its standing when memory is short",
        lambda v, _: Path(f"/proc/{v}/oom_score_adj").write_text("1000"),
        lambda has: has.user or by_files(has),
    ),
    Escape("a life without the zygote", lambda *_: kernel.prctl(PR_SET_PDEATHSIG, 0), by_filter),
    Escape("semaphores", lambda *_: c(libc.semget(0, 100, 0o1600)), by_filter),
    Escape("a queue", lambda *_: c(libc.msgget(0, 0o1600)), by_filter),
    Escape("shared memory", lambda *_: c(libc.shmget(0, 4096, 0o1600)), by_filter),
    Escape("memory that is a file", lambda *_: os.memfd_create("x"), by_filter),
    Escape("a wide pipe", lambda *_: fcntl.fcntl(os.pipe()[1], fcntl.F_SETPIPE_SZ, 1 << 20), by_filter),
    Escape(
        "a wide socket", lambda *_: socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1), by_filter
    ),
    Escape("connections that wait", let_wait, by_filter),
    Escape("datagrams that wait", lambda *_: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), by_filter),
    Escape("notices of files that wait", lambda *_: c(libc.inotify_init1(0)), by_filter),
    Escape("rules for a sandbox", lambda *_: c(libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)), by_filter),
    Escape(
        "memory that is a stack", lambda *_: mmap.mmap(-1, 4096, PRIVATE | mmap.MAP_ANONYMOUS | DOWNWARD), by_filter
    ),
    Escape("memory that is a device", map_zeros, by_files),
    Escape("a session of its own", lambda *_: os.setsid(), by_filter),
    Escape("a file outside", lambda _, secret: secret.read_text(), by_files),
    Escape("the Internet's sockets", lambda *_: socket.socket(), by_filter),
    Escape("a user namespace", lambda *_: kernel.unshare(kernel.CLONE_NEWUSER), by_filter),
]
IOPRIO_SET = {"x86_64": 251, "aarch64": 30}.get(os.uname().machine, 314)


def agent():
    """A process of the present user that keeps its memory private, as the agent does; it ends with this one."""
    parent = os.getpid()
    ready, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent(parent)
            keep_memory_private()
            os.write(said, b"!")
            os.closerange(3, 1024)
            select.select([], [], [], 600)
        finally:
            os._exit(0)
    # Before that its memory is open: a real agent begins so too, with no function beside it.
    os.close(said)
    os.read(ready, 1)
    os.close(ready)
    return pid


def mechanisms(become):
    """This machine's, for root or for an ordinary user: the latter's namespaces come with one of users."""
    has = probe.mechanisms()
    if become is None:
        return has
    with tempfile.TemporaryDirectory() as folder:
        scratch = owned(Path(folder), become)
        space = inside(replace(Mechanisms(), user_namespace=True), lambda: True, scratch, become) is True
    has = replace(has, user=False, proc=False, capabilities=False)
    return replace(has, user_namespace=space, view=space, network_namespace=space, processes=space)


def forms(has):
    """All mechanisms, all but each one, and each one alone; what cannot be without the missing one goes with it.

    Root gives up its capabilities in every form.
    """
    none = Mechanisms(capabilities=has.capabilities)
    yield "all", has
    for each in fields(has):
        yield f"no {each.name}", possible(replace(has, **{each.name: type(getattr(has, each.name))()}), has)
        yield f"only {each.name}", possible(replace(none, **{each.name: getattr(has, each.name)}), has)


def possible(some, has):
    if has.user_namespace and not some.user_namespace:
        some = replace(some, view=False, network_namespace=False, processes=False)
    return some if some.view else replace(some, user=False, proc=False)


@pytest.fixture
def helper():
    """The socket of root's helper for the user SERVICE_USER."""
    if os.geteuid() != 0:
        pytest.skip("the helper is root's")
    with served() as at:
        yield at.path


@pytest.mark.parametrize("become", [None, NOBODY], ids=["as the agent's user", "as an ordinary user"])
def test_no_way_out_is_open_where_a_mechanism_closes_it(become):
    if os.geteuid() != 0:
        become = None
    nothing_opens(mechanisms(become), become)


def test_none_is_open_where_the_agent_is_an_ordinary_user_with_a_helper(helper):
    nothing_opens(replace(probe.mechanisms(), proc=False), SERVICE_USER, helper)


def nothing_opens(whole, become, helper=None):
    opened = {}
    for name, has in forms(whole):
        with tempfile.TemporaryDirectory() as folder:
            scratch = owned(Path(folder), become)
            secret = scratch.parent / "secret"
            secret.write_text("x")
            secret.chmod(0o644)

            def look(victim, secret=secret, has=has):
                return [each.name for each in ESCAPES if each.held(has) and succeeds(each, victim, secret)]

            opened[name] = inside(has, look, scratch, become, agent, helper)
    assert opened == {name: [] for name in opened}
    assert len(opened) > 2


def touches(victim):
    """The means by which a process can touch another: each mechanism but the user is left out."""
    made = [each for each in ESCAPES if each.name in ("SIGSTOP", "its limits", "its niceness", "its scheduler")]
    return [each.name for each in made if succeeds(each, victim, None)]


def test_a_user_of_its_own_alone_keeps_a_function_from_the_agent_of_an_ordinary_user(helper):
    said = {}
    for name, has, asked in (
        ("with", Mechanisms(view=True, user=True), helper),
        ("without", Mechanisms(view=True, user_namespace=True), None),
    ):
        with tempfile.TemporaryDirectory() as folder:
            said[name] = inside(has, touches, owned(Path(folder), SERVICE_USER), SERVICE_USER, agent, asked)
    # What it is good for: the same agent without it is touched.
    assert said == {"with": [], "without": ["SIGSTOP", "its limits", "its niceness", "its scheduler"]}


def succeeds(escape, victim, secret):
    try:
        escape.attempt(victim, secret)
    except (OSError, ValueError):
        return False
    return True
