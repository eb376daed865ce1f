"""The disk under the agent's state folder: can it be written, and how much is left."""

import errno
import os
import tempfile
from pathlib import Path

from device.doctor.check import Finding, fail, ok, skip, warn
from device.update.store import RESERVE

# Free bytes and files: enough for an ordinary deployment.
_COMFORT = 128 * 1024 * 1024
_FEW_FILES, _NO_FILES = 2000, 100
_MAKE_ROOM = "Remove what is not needed: `du -x -d 2 -h / | sort -h | tail` shows where it is"
_REMEDIES = {
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EROFS: (
        "Remount it (`mount -o remount,rw /`). If that fails or it comes back, the card is dying: `dmesg | grep -i mmc`"
    ),
    errno.EACCES: "Give the folder to the agent's user: `chown -R`",
    errno.EPERM: "Give the folder to the agent's user: `chown -R`",
    errno.ENOENT: "Start the agent once, which makes it, or correct `state` in agent.toml",
}


def writable(folder: Path) -> Finding:
    """Write a page into `folder`, durably, and take it away again."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "Look at `dmesg`; the card may be dying")
        return fail(f"{folder} cannot be written: {error.strerror}", remedy)
    return ok(f"{folder} can be written")


def judge_free(free: int, total: int) -> Finding:
    """How much room is left, in bytes."""
    told = f"{free / 1e6:,.0f} MB of {total / 1e6:,.0f} MB are free"
    if free < RESERVE:
        return fail(f"{told}; deployments are refused below {RESERVE / 1e6:.0f} MB", _MAKE_ROOM)
    return warn(told, _MAKE_ROOM) if free < _COMFORT else ok(told)


def judge_files(free: int, total: int) -> Finding:
    """How many files the disk can still take (inodes); `total` 0 where the file system sets no such limit."""
    if not total:
        return skip("this file system does not count files")
    told = f"{free:,} more files fit"
    remedy = "Remove many small files: `du --inodes -x -d 2 / | sort -n | tail` shows where they are"
    if free < _NO_FILES:
        return fail(told, remedy)
    return warn(told, remedy) if free < _FEW_FILES else ok(told)


def free(folder: Path) -> Finding:
    """As `judge_free`, of the disk of `folder`."""
    disk = os.statvfs(folder)
    return judge_free(disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize)


def files(folder: Path) -> Finding:
    """As `judge_files`, of the disk of `folder`."""
    disk = os.statvfs(folder)
    return judge_files(disk.f_favail, disk.f_files)
