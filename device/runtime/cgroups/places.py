"""Finds the control groups of this agent, of version 1 and 2 (cgroups(7)).

It only looks. A group is the agent's own when the manager of the groups has marked it so: systemd does for a service
with Delegate= (https://systemd.io/CGROUP_DELEGATION). All others are left alone, even as root.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# A person sees them in this order.
CONTROLLERS = ("cpu", "memory", "pids")
# Below the delegated group: the agent's own place, for in version 2 a divided group has no processes.
AGENT = "agent"
# The mark of delegation: the second for kernels and systemds from before the first; only root reads it.
_MARKS = ("user.delegate", "trusted.delegate")

Marked = Callable[[Path], bool]


@dataclass(frozen=True)
class Place:
    """A group of our own in one hierarchy of this `version`, and the available ones of CONTROLLERS below it."""

    version: int
    path: Path
    controllers: tuple[str, ...]


@dataclass(frozen=True)
class _Membership:
    """This process is in the group `name` of the hierarchy mounted at `point`."""

    version: int
    point: Path
    name: PurePosixPath
    controllers: tuple[str, ...]

    def path(self, name: PurePosixPath) -> Path:
        return self.point / name.relative_to("/")


def places() -> list[Place]:
    """This process's groups, as far as they are its own; empty on a system without control groups."""
    try:
        membership = Path("/proc/self/cgroup").read_text()
        mounts = Path("/proc/self/mountinfo").read_text()
    except OSError:
        return []
    return find(membership, mounts, is_marked)


def find(membership: str, mounts: str, marked: Marked) -> list[Place]:
    """As `places`, from the texts of /proc/self/cgroup and /proc/self/mountinfo."""
    every = list(_memberships(membership, mounts))
    # The mark counts for the group of the same name in the other hierarchies: systemd sets it in one alone.
    own = {name for each in every for name in _candidates(each.name) if marked(each.path(name))}
    found = [_place(each, name) for each in every for name in _candidates(each.name) if name in own]
    return [each for each in found if each.controllers]


def is_marked(path: Path) -> bool:
    """Whether this group is marked as delegated."""
    if sys.platform != "linux":
        return False
    for mark in _MARKS:
        try:
            if os.getxattr(path, mark) == b"1":
                return True
        except OSError:
            continue
    return False


def _candidates(name: PurePosixPath) -> list[PurePosixPath]:
    """The group, or the parent of the agent's own leaf. The root is left out: it is the whole machine's."""
    group = name.parent if name.name == AGENT else name
    return [group] if group.name else []


def _place(member: _Membership, name: PurePosixPath) -> Place:
    path = member.path(name)
    offered = member.controllers if member.version == 1 else _offered(path)
    writable = os.access(path, os.W_OK)
    return Place(member.version, path, tuple(each for each in CONTROLLERS if writable and each in offered))


def _offered(path: Path) -> tuple[str, ...]:
    try:
        return tuple((path / "cgroup.controllers").read_text().split())
    except OSError:
        return ()


def _memberships(membership: str, mounts: str) -> Iterator[_Membership]:
    """Reads lines such as `8:pids:/system.slice/lamplight.service`; version 2 leaves its controllers empty, `0::/…`."""
    mounted = list(_mounts(mounts))
    for line in membership.splitlines():
        _, controllers, name = line.split(":", 2)
        named = frozenset(filter(None, controllers.split(",")))
        for version, point, root, of_mount in mounted:
            if named <= of_mount and version == (1 if named else 2) and PurePosixPath(name).is_relative_to(root):
                relative = PurePosixPath("/") / PurePosixPath(name).relative_to(root)
                yield _Membership(version, point, relative, tuple(named))
                break


def _mounts(mounts: str) -> Iterator[tuple[int, Path, str, frozenset[str]]]:
    """Reads lines such as `39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids` (proc_pid_mountinfo(5))."""
    for line in mounts.splitlines():
        mine, _, of_kind = line.partition(" - ")
        fields, (kind, _, options) = mine.split(), of_kind.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            yield 1 if kind == "cgroup" else 2, Path(fields[4]), fields[3], frozenset(options.split(","))
