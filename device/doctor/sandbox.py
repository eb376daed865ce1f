"""The confinement of functions on this machine, aspect by aspect, and how to get the missing ones."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping

from device.doctor.check import Finding, fail, ok, warn
from device.users import asking

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
    "user": "Install the agent again with `flash.py ssh` or `flash.py local`: that brings a helper which gives each"
    " function a user of its own (docs/service.md). Or run the agent as root",
    "privileges": "Use a kernel of 3.5 or newer",
    "filesystem": f"{_NAMESPACES}; or use a kernel with Landlock (5.13, CONFIG_SECURITY_LANDLOCK)",
    "network": "Use a kernel with seccomp (CONFIG_SECCOMP_FILTER), network namespaces or Landlock",
    "system calls": "Use a kernel with seccomp (CONFIG_SECCOMP_FILTER)",
    "processes": _NAMESPACES,
    "scratch": _NAMESPACES,
    "cpu share": _GROUPS,
    "function memory": f"{_GROUPS}; on Raspberry Pi OS also add `cgroup_enable=memory` to cmdline.txt",
}
# As for "user", where the helper's socket is there.
_HELPED = (
    "The helper is installed, and gave no users: `journalctl -t lamplight-users` and `systemctl status"
    " lamplight-users.socket` say why. They are for the service's own user, and user namespaces must be allowed"
    " (`sysctl user.max_user_namespaces`)"
)
_ELSE = "docs/confinement.md says what it needs"


def features(required: Collection[str]) -> Mapping[str, Finding]:
    """Each aspect of confinement; `required` are those demanded by agent.toml."""
    helped = asking.SOCKET.exists()
    return {
        aspect.replace(" ", "-"): judge(aspect, how, aspect in required, helped) for aspect, how in _probe().items()
    }


def judge(aspect: str, how: str, required: bool, helped: bool = False) -> Finding:
    """One aspect; `how` is the machine's way to it. `helped`: there is a helper that gives functions users."""
    if how != _NOTHING:
        return ok(how)
    remedy = _HELPED if helped and aspect == "user" else _REMEDIES.get(aspect, _ELSE)
    if required:
        return fail("nothing, and agent.toml requires it: the agent does not start", remedy)
    return warn("nothing", remedy)


def _probe() -> dict[str, str]:
    # In a process of its own: trying things out forks, and a fork wants a process without threads.
    command = [sys.executable, "-P", "-c", _PROBE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return json.loads(done.stdout)
