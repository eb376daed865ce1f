"""The folder of `lamplight up`: it keeps a fleet between two runs. A lock allows one `up` at a time in it.

It knows the places of files, not their contents.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from device.errors import LamplightError

# The limit of a Unix socket's path is 104 bytes with the final zero on macOS (sys/un.h), 108 on Linux.
_LONGEST_SOCKET = 103
_OURS = ("cloud", "devices", "logs")


class HomeFolder:
    """The folder at `path`; it is made when it is locked."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @contextmanager
    def locked(self) -> Generator[None, None, None]:
        """Hold the folder while the block runs; LamplightError names its present holder, a process."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LamplightError(f"Cannot use {self.path}", str(error), "--state with another folder") from error
        with os.fdopen(descriptor, "r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._taken(lock.read().strip()) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    def clear(self) -> None:
        """Forget the fleet: remove only Lamplight's own folders here."""
        for name in _OURS:
            shutil.rmtree(self.path / name, ignore_errors=True)

    @property
    def cloud(self) -> Path:
        """The broker's and the shim's folder: database, artifacts, keys, passwords."""
        return self.path / "cloud"

    def log(self, name: str) -> Path:
        """The log file of the child called `name`."""
        return self.path / "logs" / f"{name}.log"

    def device(self, name: str) -> Path:
        """The folder of one device's files."""
        return self.path / "devices" / name

    def hardware_socket(self, device: str) -> Path:
        """The simulated hardware's socket: in the device's folder, or where the path is short enough for a socket."""
        path = self.device(device) / "hardware.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET:
            return path
        short = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return _private_folder() / f"{short}.sock"

    def _taken(self, holder: str) -> LamplightError:
        return LamplightError(
            f"Another `lamplight up` (process {holder or 'unknown'}) already runs in {self.path}",
            "two would share one fleet's keys and database",
            "stop it, or --state with another folder and other ports",
        )


def _private_folder() -> Path:
    """A folder with a short path, of this user's own: closed to everybody else, or LamplightError."""
    folder = Path(tempfile.gettempdir()) / f"lamplight-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise LamplightError(f"{folder} belongs to somebody else", "", "--state with a shorter path")
    return folder
