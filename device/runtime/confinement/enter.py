"""Puts a worker, a process with one thread, inside all that this machine has to confine it. There is no way back.

Its parent prepares the steps, the worker takes them: what it does not have to look up, it does not have to copy of the
memory that it shares with its parent. The order matters: namespaces while it still may make them, mounts inside them, then its own user and no capabilities,
and last what forbids the former. What there is, probe.py found out; which files, paths.py knows.
"""

import os
import resource
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from device.runtime import state_files
from device.runtime.confinement import filter, kernel, landlock, paths, view
from device.runtime.confinement.mechanisms import Mechanisms
from device.runtime.confinement.view import Step

# One user for each function, in a range that nobody else hands out (https://systemd.io/UIDS-GIDS: 1879048192 to
# 2147483647 are unused). Names in passwd are not needed.
FIRST_USER = 1_900_000_000
USERS = 240_000_000
# How much less a worker counts than the agent when both want the processor (nice(1)).
_NICE = 5


@dataclass(frozen=True)
class Bounds:
    """What one function may use: `files` are its bundle and models, `hardware` the devices that it leases.

    `states` is the folder of its durable state; `scratch` another, for `scratch_size` bytes; `processes` counts threads
    too, of all workers of the function where they have a user of their own.
    """

    files: Sequence[Path]
    hardware: Sequence[Path]
    states: Path
    scratch: Path
    scratch_size: int
    processes: int
    network: bool


def entry(bounds: Bounds, has: Mechanisms) -> list[Step]:
    """The steps that confine a process, and give it the files of its state. Raises OSError."""
    user = user_of(bounds.states) if has.user else os.getuid()
    if os.getuid() == 0:
        state_files.give(bounds.states, user)
    return list(_steps(bounds, has, user))


def enter(steps: Iterable[Step]) -> None:
    """Confine this process. Raises OSError; it must end then, for it is neither inside nor outside."""
    for step in steps:
        step()


def _steps(bounds: Bounds, has: Mechanisms, user: int) -> Iterator[Step]:
    common = paths.readable(bounds.scratch, bounds.network)
    yield from _isolation(bounds, has, user, common)
    if has.processes:
        yield partial(resource.setrlimit, resource.RLIMIT_NPROC, (bounds.processes, bounds.processes))
    yield partial(os.nice, _NICE)
    yield partial(os.chdir, str(bounds.scratch))
    if has.landlock or has.filter:
        yield kernel.no_new_privileges
    if has.landlock:
        # In a root of its own there is nothing else to read.
        places = [Path("/")] if has.view else [Path("/proc"), *bounds.files, *(real for _, real in common)]
        writable = [*paths.devices(), *bounds.hardware, bounds.scratch]
        rules = landlock.rules(has.landlock, places, writable, [bounds.states], bounds.network)
        yield partial(landlock.restrict, rules)
    if has.filter:
        yield partial(kernel.install_filter, filter.program(kernel.machine(), bounds.network))


def _isolation(bounds: Bounds, has: Mechanisms, user: int, common: tuple[paths.Shown, ...]) -> Iterator[Step]:
    """Namespaces, a root and a user of its own, no capabilities."""
    uid, gid = os.getuid(), os.getgid()
    yield from _namespaces(bounds.network, has, uid, gid)
    if has.view:
        owner = f"uid={user},gid={user if has.user else gid}"
        options = f"mode=700,{owner},size={bounds.scratch_size},nr_inodes={_inodes(bounds)}"
        writable = [*bounds.hardware, bounds.states]
        yield from view.steps(common, bounds.files, writable, bounds.scratch, options, has.user)
    if has.user:
        yield partial(_become, user, paths.groups(bounds.hardware))
    elif has.capabilities or has.user_namespace:
        yield kernel.drop_capabilities


def user_of(states: Path) -> int:
    """The user of the function whose state lies in this folder: by the folder's number on its disk, which no other has
    as long as it is there.
    """
    return FIRST_USER + states.stat().st_ino % USERS


def _namespaces(network: bool, has: Mechanisms, uid: int, gid: int) -> Iterator[Step]:
    flags = kernel.CLONE_NEWNS if has.view else 0
    if has.network_namespace and not network:
        flags |= kernel.CLONE_NEWNET
    if has.user_namespace:
        flags |= kernel.CLONE_NEWUSER
    if flags:
        yield partial(kernel.unshare, flags)
    if has.user_namespace:
        # The same user as before; without root's right nobody else may be mapped (user_namespaces(7)).
        for file, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            yield partial(Path(f"/proc/self/{file}").write_text, text)


def _become(user: int, groups: list[int]) -> None:
    """A user and group that owns nothing; root's capabilities go with its user."""
    os.setgroups(groups)
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _inodes(bounds: Bounds) -> int:
    """Files in the scratch folder: empty ones cost memory too."""
    return max(256, bounds.scratch_size // 4096)
