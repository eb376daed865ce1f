"""Runs a piece of code in a process that entered a confinement, and is thrown away."""

import os

from device.private_memory import keep_memory_private
from device.runtime.confinement.enter import Bounds, enter
from device.sandbox import paths
from device.users import asking
from tests.device import forked

NOBODY = 65534
BOUNDS = {"files": (), "hardware": (), "scratch_size": 1 << 20, "processes": 5, "network": False}


def inside(has, look, scratch, become=None, beside=None, helper=None, **bounds):
    """What `look` says in a process that entered `has`, as the user `become`; or its error.

    With `beside`, `look` is given the number of a process of the same user: a child made before, and outside. With the
    socket `helper`, the process first becomes root of a namespace with functions' users (device/users).
    """

    def enter_and_look():
        if become:
            os.setgroups([])
            os.setresgid(become, become, become)
            os.setresuid(become, become, become)
            # Changing the user has closed /proc/self.
            keep_memory_private(False)
            paths.lasting.cache_clear()
        given = [beside()] if beside else []
        if helper:
            asking.join(asking.namespace(helper))
        enter(Bounds(**{**BOUNDS, "states": scratch.parent / "states", "scratch": scratch, **bounds}), has)
        return look(*given)

    return forked.said(enter_and_look)


def owned(folder, user):
    """A scratch folder, with the folder of the state beside it, as this user's."""
    scratch = folder.resolve() / "scratch"
    for each in (scratch.parent, scratch.parent / "states", scratch):
        each.mkdir(exist_ok=True)
        if user:
            os.chown(each, user, user)
    return scratch
