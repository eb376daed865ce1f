"""The agent's control groups: takes its own, divides them among its functions, clears up the rest.

group.py knows a single group; starter.py puts a worker into one.
"""

import contextlib
import fcntl
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from device.runtime.cgroups.group import Group, Limits, members
from device.runtime.cgroups.places import AGENT, CONTROLLERS, Place

# A function's group begins so; everything else below our group is left alone.
_OURS = "fn-"


class Groups:
    """The groups below `places`, prepared by `take`. With an empty `places` every method does nothing."""

    def __init__(self, places: Sequence[Place] = (), locks: Sequence[int] = ()) -> None:
        self._places = places
        self._locks = locks

    @property
    def held(self) -> dict[str, str]:
        """The version of control groups for each controller at hand, for a person."""
        return held(self._places)

    def of(self, name: str, limits: Limits) -> Group | None:
        """The group of this name, made at need; None on a system without control groups. Raises OSError."""
        if not self._places:
            return None
        group = Group(_OURS + name, self._places)
        group.make(limits)
        return group

    def keep(self, names: Collection[str]) -> None:
        """Remove the groups of all other functions; a failed removal is tried again the next time."""
        kept = {_OURS + name for name in names}
        left = {path.name for place in self._places for path in place.path.glob(f"{_OURS}*") if path.is_dir()}
        for name in sorted(left - kept):
            Group(name, self._places).remove()

    def close(self) -> None:
        """Remove all, and let another agent have the place."""
        self.keep(())
        for lock in self._locks:
            os.close(lock)
        self._locks = ()


def take(places: Sequence[Place]) -> Groups:
    """Divide `places`: this process and its ancestors go into a group of their own.

    Left-overs of a killed agent are ended and removed. A place taken by another agent is left alone.
    """
    taken: list[Place] = []
    locks: list[int] = []
    for place in places:
        lock = _lock(place.path)
        if lock is not None:
            locks.append(lock)
            taken.append(_divide(place) if place.version == 2 else place)
    groups = Groups([place for place in taken if place.controllers], locks)
    groups.keep(())
    return groups


def held(places: Sequence[Place]) -> dict[str, str]:
    """The version of control groups for each controller at hand, for a person: `{"cpu": "cgroup v2"}`."""
    found = {name: f"cgroup v{place.version}" for place in places for name in place.controllers}
    return {name: found[name] for name in CONTROLLERS if name in found}


def _lock(path: Path) -> int | None:
    """A descriptor to keep other agents out for as long as it is open; None when one is in."""
    handle = -1
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if handle >= 0:
            os.close(handle)
        return None
    return handle


def _divide(place: Place) -> Place:
    """Version 2: move the processes into a leaf, because only an empty group may give its children controllers."""
    leaf = place.path / AGENT
    had: list[str] = []
    with contextlib.suppress(OSError):
        leaf.mkdir(exist_ok=True)
        for pid in members(place.path):
            with contextlib.suppress(ProcessLookupError):
                (leaf / "cgroup.procs").write_text(str(pid))
        # One by one: when the kernel refuses one (a real-time process forbids "cpu"), the others must still work.
        for controller in place.controllers:
            with contextlib.suppress(OSError):
                (place.path / "cgroup.subtree_control").write_text(f"+{controller}")
                had.append(controller)
    return replace(place, controllers=tuple(had))
