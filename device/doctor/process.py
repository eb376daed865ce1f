"""Whether an agent is at work in a state folder. It takes no lock, not even for a moment: an agent may be starting."""

import os
from pathlib import Path

from device.doctor.check import Finding, ok, warn

LOCKS = Path("/proc/locks")


def running(state: Path, locks: Path = LOCKS) -> bool:
    """Whether somebody holds the folder's lock, by the kernel's list of them (proc_locks(5)); False elsewhere."""
    try:
        inode, lines = (state / "lock").stat().st_ino, locks.read_text().splitlines()
    except OSError:
        return False
    return any(is_lock_of(line, inode) for line in lines)


def is_lock_of(line: str, inode: int) -> bool:
    """Whether a line of /proc/locks is a flock on the file: "1: FLOCK ADVISORY WRITE 99 fd:01:1234 0 EOF"."""
    words = line.split()
    return len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode)


def agent(state: Path) -> Finding:
    """The agent itself."""
    if not LOCKS.exists():
        return ok(f"unknown on this system ({os.uname().sysname})")
    if running(state):
        return ok("it runs")
    return warn("no agent runs with this state folder", "Start it: `python -m device.launcher --config agent.toml`")
