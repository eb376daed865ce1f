"""Finds this machine's means of confining a worker, by trying each mechanism in a throw-away process."""

import ctypes
import errno
import json
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

from device.runtime import state_files
from device.runtime.confinement import accounts, view
from device.runtime.confinement.enter import Bounds, enter, grants
from device.runtime.confinement.mechanisms import Mechanisms
from device.sandbox import filter, kernel, landlock, paths
from device.users import asking

_log = logging.getLogger(__name__)


@cache
def mechanisms() -> Mechanisms:
    """The mechanisms of this machine, for this user; tried once. Forks, so call it before there are threads."""
    return _found()[0]


def namespace() -> int | None:
    """A descriptor of the user namespace in which `mechanisms` are had: to be joined by the parent of the workers.

    None for root, and where nothing gives functions users of their own. As `mechanisms`, it forks the first time.
    """
    return _found()[1]


@cache
def _found() -> tuple[Mechanisms, int | None]:
    if os.geteuid() != 0 and asking.SOCKET.exists():
        try:
            space = asking.namespace()
            within = _within(space)
        except OSError as error:
            _log.warning("Functions have no users of their own: %s", error)
        else:
            if within.user:
                return within, space
            _log.warning("Functions have no users of their own: the helper gave some, and they cannot be used")
            os.close(space)
    return _here(), None


def _within(space: int) -> Mechanisms:
    """The mechanisms for a process that joined this user namespace. Raises OSError."""
    read, write = os.pipe()

    def tell() -> bool:
        asking.join(space)
        os.write(write, json.dumps(asdict(_here())).encode())
        return True

    with os.fdopen(read) as told:
        try:
            worked = _succeeds(tell)
        finally:
            os.close(write)
        if not worked:
            raise OSError("the user namespace cannot be joined")
        return Mechanisms(**json.load(told))


def _here() -> Mechanisms:
    root = os.geteuid() == 0
    space = not root and _works(Mechanisms(user_namespace=True))
    view = (root or space) and _works(Mechanisms(view=True, user_namespace=space))
    user = root and view and _works(Mechanisms(view=True, user=True))
    network = Mechanisms(network_namespace=True, user_namespace=space)
    return Mechanisms(
        view=view,
        user=user,
        proc=user and _works(Mechanisms(view=True, user=True, proc=True)),
        user_namespace=space,
        network_namespace=_works(network),
        short_queues=_works(replace(network, short_queues=True)),
        processes=user or space,
        capabilities=root and _works(Mechanisms(capabilities=True)),
        landlock=landlock.version(),
        filter=_works(Mechanisms(filter=True)),
    )


def prepare() -> None:
    """Find out this, and all that workers have in common: once, in their parent, for it takes time."""
    has = mechanisms()
    for network in (False, True):
        view.plan(accounts.left_out(paths.common(network)))
        if has.filter:
            filter.common(kernel.machine(), grants(has, network))


def _works(some: Mechanisms) -> bool:
    try:
        with tempfile.TemporaryDirectory() as folder:
            states, scratch = Path(folder).resolve() / "states", Path(folder).resolve() / "scratch"
            states.mkdir()
            scratch.mkdir()
            state_files.make(states, 1)
            return _succeeds(lambda: _try(some, states, scratch))
    except OSError:
        # For want of a folder or a process the attempt failed: the mechanism counts as missing.
        return False


def _try(some: Mechanisms, states: Path, scratch: Path) -> bool:
    """Be confined by these alone, and look whether it is so and Python still works."""
    enter(Bounds((), (), states, scratch, 1 << 20, processes=64, network=False), some)
    for file in (states / "1" / state_files.DATABASE, scratch / "written"):
        file.write_text("")
    readable = bool(Path(os.__file__).read_bytes() and Path(__file__).read_bytes())
    return readable and (not some.filter or _is_filtered())


def _is_filtered() -> bool:
    """Whether even a change to the present root is forbidden; root could do it, but for the filter."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.chroot(b"/\0") != 0 and ctypes.get_errno() == errno.EPERM and libc.unshare(0) != 0


def _succeeds(attempt: Callable[[], bool]) -> bool:
    """Whether `attempt` returns true in a child process."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    status = 1
    try:
        status = 0 if attempt() else 1
    finally:
        # Nothing of the parent's is to be flushed or closed a second time; an exception is an answer, too.
        os._exit(status)
