"""The confinement of functions on this machine, aspect by aspect, and how to get the missing ones."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping

from device.doctor.check import Finding, fail, ok, warn

# Seconds; trying each mechanism forks a few processes.
PATIENCE = 30.0
_NOTHING = "none"
_PROBE = """
import json
from device.runtime.cgroups import groups, places
from device.runtime.confinement.report import confinement
print(json.dumps(confinement(groups.held(places.places()))))
"""
_GROUPS = "Run the agent as a systemd service with `Delegate=cpu memory pids`, as flashed cards do"
_NAMESPACES = "Allow user namespaces (`sysctl user.max_user_namespaces`), or run the agent as root"
# docs/confinement.md explains each aspect.
_REMEDIES: Mapping[str, str] = {
    "user": "Run the agent as root: it then gives each function a user of its own",
    "privileges": "Use a kernel of 3.5 or newer",
    "filesystem": f"{_NAMESPACES}; or use a kernel with Landlock (5.13, CONFIG_SECURITY_LANDLOCK)",
    "network": "Use a kernel with seccomp (CONFIG_SECCOMP_FILTER), network namespaces or Landlock",
    "system calls": "Use a kernel with seccomp (CONFIG_SECCOMP_FILTER)",
    "processes": _NAMESPACES,
    "scratch": _NAMESPACES,
    "cpu share": _GROUPS,
    "function memory": f"{_GROUPS}; on Raspberry Pi OS also add `cgroup_enable=memory` to cmdline.txt",
}
_ELSE = "docs/confinement.md says what it needs"


def features(required: Collection[str]) -> Mapping[str, Finding]:
    """Each aspect of confinement; `required` are those demanded by agent.toml."""
    return {aspect.replace(" ", "-"): judge(aspect, how, aspect in required) for aspect, how in _probe().items()}


def judge(aspect: str, how: str, required: bool) -> Finding:
    """One aspect; `how` is the machine's way to it."""
    if how != _NOTHING:
        return ok(how)
    remedy = _REMEDIES.get(aspect, _ELSE)
    if required:
        return fail("nothing, and agent.toml requires it: the agent does not start", remedy)
    return warn("nothing", remedy)


def _probe() -> dict[str, str]:
    # In a process of its own: trying things out forks, and a fork wants a process without threads.
    command = [sys.executable, "-P", "-c", _PROBE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return json.loads(done.stdout)
