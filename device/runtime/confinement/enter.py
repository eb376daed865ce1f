"""Puts this process, a worker with one thread, inside all of this machine's confinement. There is no way back.

The order matters: namespaces while it still may make them, then mounts inside them, then its own user and the loss of
capabilities, and last the filters against the earlier steps. probe.py found the mechanisms; paths.py knows the files.
"""

import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device.private_memory import keep_memory_private
from device.runtime import state_files
from device.runtime.confinement import accounts, view
from device.runtime.confinement.accounts import Account
from device.runtime.confinement.mechanisms import Mechanisms
from device.sandbox import filter, kernel, landlock, paths
from device.users.helper import FIRST_USER, USERS

# How much less a worker counts than the agent when both want the processor (nice(1)).
_NICE = 5


@dataclass(frozen=True)
class Bounds:
    """The things one function may use: `files` are its bundle and models, `hardware` the devices it leases.

    `states` is the folder of its durable state; `scratch` another, for `scratch_size` bytes; `processes` counts threads
    too, of all workers of the function where they have a user of their own. `layer` are its packages, if it has any.
    `name` is its user's, in its own root.
    """

    files: Sequence[Path]
    hardware: Sequence[Path]
    states: Path
    scratch: Path
    scratch_size: int
    processes: int
    network: bool
    layer: Path | None = None
    name: str = "function"


def enter(bounds: Bounds, has: Mechanisms) -> None:
    """Confine this process. Raises OSError; the process is then half confined and must end."""
    common = paths.readable(bounds.scratch, bounds.network)
    _isolate(bounds, has, common, [*bounds.hardware, bounds.states])
    if has.processes:
        resource.setrlimit(resource.RLIMIT_NPROC, (bounds.processes, bounds.processes))
    os.nice(_NICE)
    os.chdir(bounds.scratch)
    if has.landlock or has.filter:
        kernel.no_new_privileges()
    if has.landlock:
        # In a root of its own there is nothing else to read.
        places = [Path("/")] if has.view else [Path("/proc"), *bounds.files, *(real for _, real in common)]
        # The scratch folder's other name leads elsewhere without a root of its own.
        temporary = [view.TEMPORARY] if has.view else []
        writable = [*paths.devices(), *bounds.hardware, bounds.scratch, *temporary]
        landlock.restrict(places, writable, [bounds.states], bounds.network)
    if has.filter:
        kernel.install_filter(filter.program(kernel.machine(), grants(has, bounds.network), os.getpid()))


def grants(has: Mechanisms, network: bool) -> filter.Grants:
    """What the filter may let pass, because another mechanism bounds it."""
    return filter.Grants(
        network,
        signals=has.user or has.landlock >= landlock.SCOPES_SINCE,
        listening=network or (has.network_namespace and has.short_queues),
    )


def homes(bounds: Bounds) -> dict[str, str]:
    """The folders by the names that code from elsewhere has for them: more temporary files, and a cloud's layer."""
    layer = {"/opt/python": str(bounds.layer)} if bounds.layer else {}
    return {"/var/tmp": str(view.TEMPORARY), **layer}


def _isolate(bounds: Bounds, has: Mechanisms, common: tuple[paths.Shown, ...], writable: list[Path]) -> None:
    """Give it namespaces, a root and a user of its own; take its capabilities."""
    # Looked at here, where the devices still are.
    groups = paths.groups(bounds.hardware)
    uid, gid = os.getuid(), os.getgid()
    user = user_of(bounds.states) if has.user else uid
    if uid == 0:
        state_files.give(bounds.states, user)
    _leave_namespaces(bounds.network, has, uid, gid)
    if has.view:
        account = Account(user, user if has.user else gid, bounds.name, str(bounds.scratch))
        scratch = view.Scratch(bounds.scratch, bounds.scratch_size, _inodes(bounds), account)
        view.build(accounts.left_out(common), bounds.files, writable, scratch, has.proc, homes(bounds))
    if has.user:
        _become(user, groups)
    elif has.capabilities or has.user_namespace:
        kernel.drop_capabilities()


def user_of(states: Path) -> int:
    """The user of the function with its state in this folder.

    It is made from the folder's number on its disk, unique for as long as the folder exists.
    """
    return FIRST_USER + states.stat().st_ino % USERS


def _leave_namespaces(network: bool, has: Mechanisms, uid: int, gid: int) -> None:
    flags = kernel.CLONE_NEWNS if has.view else 0
    if has.network_namespace and not network:
        flags |= kernel.CLONE_NEWNET
    if has.user_namespace:
        flags |= kernel.CLONE_NEWUSER
    if flags:
        kernel.unshare(flags)
    if has.user_namespace:
        # It writes files of its own in /proc; the last step of its start closes them again.
        keep_memory_private(False)
        # The same user as before; without root's right nobody else may be mapped (user_namespaces(7)).
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    if flags & kernel.CLONE_NEWNET and has.short_queues:
        # Of the new namespace. A connection that waits keeps up to 200 kB, though its other end was closed.
        Path("/proc/sys/net/core/somaxconn").write_text("1")


def _become(user: int, groups: list[int]) -> None:
    """Become a user and group without property; root's capabilities go with its user."""
    os.setgroups(groups)
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _inodes(bounds: Bounds) -> int:
    """Files in the scratch folder: empty ones cost memory too."""
    return max(256, bounds.scratch_size // 4096)
