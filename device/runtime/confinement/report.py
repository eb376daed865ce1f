"""Describes a worker's confinement here in words: for the report to the cloud, and for an operator's demands."""

import os
from collections.abc import Iterable, Mapping

from device.errors import RejectedError, UsageError
from device.runtime.confinement.mechanisms import Mechanisms
from device.runtime.confinement.probe import mechanisms
from device.sandbox import rlimits

NOT = "none"


def confinement(groups: Mapping[str, str]) -> dict[str, str]:
    """The confinement of a worker on this machine, aspect by aspect; "none" for an unguarded one.

    `groups` maps each available controller to its version of control groups.
    """
    return describe(mechanisms(), os.geteuid() == 0, groups)


def describe(has: Mechanisms, root: bool, groups: Mapping[str, str]) -> dict[str, str]:
    """As `confinement`, of these mechanisms. docs/confinement.md explains each word."""
    return {
        **rlimits.limits(),
        "user": _all(has.user and "own user"),
        "privileges": _all(
            rlimits.no_new_privileges() and "no-new-privs",
            (has.capabilities or has.user or not root) and "no capabilities",
        ),
        "filesystem": _all(has.view and "own root", has.landlock > 0 and f"landlock {has.landlock}"),
        "network": _all(
            has.filter and "seccomp", has.network_namespace and "namespace", has.landlock >= 4 and "landlock (TCP)"
        ),
        "system calls": _all(has.filter and "seccomp"),
        "processes": _all(has.processes and "rlimit", groups.get("pids", "")),
        "scratch": _all(has.view and "tmpfs"),
        "state": _all((has.user or has.landlock > 0) and "fixed files"),
        "cpu": "nice",
        "cpu share": groups.get("cpu", NOT),
        "function memory": groups.get("memory", NOT),
    }


def demand(required: Iterable[str], found: dict[str, str]) -> None:
    """Raise RejectedError when an aspect required by the operator is missing here, UsageError for an unknown word."""
    unknown = sorted(set(required) - set(found))
    if unknown:
        raise UsageError(
            f"agent.toml requires confinement of {', '.join(unknown)}",
            "there is no such aspect",
            f"use some of: {', '.join(sorted(found))}",
        )
    missing = sorted(each for each in set(required) if found[each] == NOT)
    if missing:
        raise RejectedError(
            "The agent is not started",
            f"agent.toml requires confinement of {', '.join(missing)}, and this machine has nothing for it",
            "Give the machine what is missing (docs/confinement.md), or take it from [confinement] require",
        )


def _all(*present: str | bool) -> str:
    return ", ".join(each for each in present if isinstance(each, str) and each) or NOT
