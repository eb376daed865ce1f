"""The board's secrets and its first roots of trust: are they there, and safe from other users' reading and writing."""

import stat
from pathlib import Path

from device.config import AgentConfig
from device.doctor.check import Finding, fail, ok, warn
from device.enrol.passwords import Passwords
from device.protocol.enrolment import fingerprint

_PROVISION = "Provision the board again, which writes it"


def own_password(config: AgentConfig) -> Finding:
    """The board's password; a board still waiting to be let in has none."""
    path = config.broker.password_file
    if config.enrolment is not None and not path.exists():
        mark = Passwords(path).offered()
        told = f" (fingerprint {fingerprint(mark)})" if mark else ""
        return warn(f"this board was not let in yet{told}", f"`lamplight devices accept {config.device}`")
    return password(path)


def password(path: Path) -> Finding:
    """The file with the broker's password."""
    if lost := unreadable(path):
        return lost
    if not path.read_text().strip():
        return fail(f"{path} is empty", _PROVISION)
    if open_to := others(path, stat.S_IRWXG | stat.S_IRWXO):
        return warn(f"{path} is open to others ({open_to})", f"`chmod 600 {path}`")
    return ok(f"{path} is readable by its owner only")


def unreadable(path: Path) -> Finding | None:
    """A failure for an unreadable file."""
    try:
        with path.open("rb"):
            return None
    except FileNotFoundError:
        return fail(f"{path} is missing", _PROVISION)
    except OSError as error:
        return fail(f"{path} cannot be read: {error.strerror}", "Give it to the user that reads it: `chown`")


def unchangeable(path: Path) -> Finding:
    """A folder of trust: only its owner may write into it."""
    if not path.is_dir():
        return fail(f"{path} is missing", _PROVISION)
    if open_to := others(path, stat.S_IWGRP | stat.S_IWOTH):
        return fail(f"{path} can be written by others ({open_to})", f"`chmod go-w {path}`")
    return ok(f"{path} can be written by its owner only")


def others(path: Path, rights: int) -> str:
    """The file's mode, as "rw-r--r--", when others than its owner have any of these rights; else ""."""
    mode = path.stat().st_mode
    return stat.filemode(mode)[1:] if mode & rights else ""
